// Numbers, times and sizes as people read them.
export const signed = (value) => (value >= 0 ? "+" : "−") + Math.abs(value).toFixed(3);
export const reward = (value) => (value === null || value === undefined ? "–" : Number(value).toFixed(3));
export const share = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)}%`);
export const count = (value) => Number(value).toLocaleString("en");
export const dollars = (value) => `$${Number(value).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
export const counted = (value, thing) => `${count(value)} ${thing}${value === 1 ? "" : "s"}`;
export const shortModel = (id) => (id || "").replace(/^[a-z]+\./, "");

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  const units = ["KB", "MB", "GB"];
  let unit = -1;
  do { size /= 1024; unit += 1; } while (size >= 1024 && unit < units.length - 1);
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

export function moment(text) {
  if (!text) return "–";
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString("en-GB", today
    ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

export function lasted(from, to) {
  const seconds = Math.max(0, (new Date(to) - new Date(from)) / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
