// Looks again and again: never while the page is hidden, and ever more seldom while it is refused.
import { useEffect, useRef } from "preact/hooks";

const LONGEST_SECONDS = 60;

// `look(signal)` answers after how many seconds to look again, null for never. `onProblem(null)` once it goes well.
export function usePolling(look, onProblem, dependencies) {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const ended = new AbortController();
    let timer = null;
    let failures = 0;
    const again = (seconds) => {
      if (!ended.signal.aborted) timer = setTimeout(once, seconds * 1000);
    };
    async function once() {
      timer = null;
      if (document.hidden) {
        document.addEventListener("visibilitychange", once, { once: true, signal: ended.signal });
        return;
      }
      try {
        const seconds = await latest.current(ended.signal);
        if (ended.signal.aborted) return;
        failures = 0;
        onProblem(null);
        if (seconds !== null) again(seconds);
      } catch (error) {
        if (ended.signal.aborted) return;
        onProblem(error);
        // Asking again cannot help where the thing is not there.
        if (error.status !== 404) again(Math.min(LONGEST_SECONDS, 2 * 2 ** failures++));
      }
    }
    once();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, dependencies);
}
