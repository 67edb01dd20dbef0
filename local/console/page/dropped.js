// Which of the files that someone dropped belong to a dataset.
const TRAIN = ["train.jsonl", "train.jsonl.gz"];
const TEST = ["test.jsonl", "test.jsonl.gz"];
const RECIPE = ["recipe.yaml", "recipe.yml", "recipe.json"];
const MOST_FILES = 200;
const MOST_RECIPE_BYTES = 128 * 1024;

// The files of a drop; those of a folder, not of the folders in it.
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  const found = [];
  for (const entry of entries) {
    for (const file of entry.isDirectory ? await entriesOf(entry) : [entry]) {
      if (file.isFile && found.length < MOST_FILES) found.push(await fileOf(file, entry));
    }
  }
  return found;
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (some.length === 0 || found.length > MOST_FILES) return found;
    found.push(...some);
  }
}

async function fileOf(entry, dropped) {
  const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
  if (dropped.isDirectory) Object.defineProperty(file, "folder", { value: dropped.name });
  return file;
}

// {name, train, test, recipe, leftOut}, or {problem}.
export function sorted(files) {
  const top = files.filter((file) => (file.webkitRelativePath || "").split("/").length <= 2);
  const named = (names) => top.filter((file) => names.includes(file.name));
  const [train, test, recipes] = [named(TRAIN), named(TEST), named(RECIPE)];
  const rows = top.filter((file) => /\.jsonl(\.gz)?$/.test(file.name));
  if (train.length === 0 && rows.length === 1 && test.length === 0) train.push(rows[0]);
  for (const [some, what] of [[train, "training file"], [test, "test file"], [recipes, "recipe"]]) {
    if (some.length > 1) return { problem: `There are several files for the ${what}: ${some.map((file) => file.name).join(", ")}. Keep one.` };
  }
  if (train.length === 0) {
    const has = files.length ? `Only these came: ${files.slice(0, 6).map((file) => file.name).join(", ")}${files.length > 6 ? ", …" : ""}.` : "Nothing came.";
    return { problem: `There is no train.jsonl. ${has} Other formats become rows with \`tunedrop convert\`.` };
  }
  if (recipes[0]?.size > MOST_RECIPE_BYTES) return { problem: `${recipes[0].name} is larger than a recipe can be (128 KB).` };
  const taken = new Set([...train, ...test, ...recipes]);
  return {
    name: train[0].folder || (train[0].webkitRelativePath || "").split("/")[0] || train[0].name.replace(/\.jsonl(\.gz)?$/, ""),
    train: train[0],
    test: test[0] || null,
    recipe: recipes[0] ? { file: recipes[0], text: "" } : null,
    leftOut: files.filter((file) => !taken.has(file)).map((file) => file.name).slice(0, 20),
  };
}
