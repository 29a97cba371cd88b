/** The browser's storage; where it is blocked or full the page works on and forgets. */

/** @typedef {Pick<Storage, "getItem" | "setItem">} Store */

/**
 * @param {"localStorage" | "sessionStorage"} kind
 * @returns {Store}
 */
export function openStorage(kind) {
  return {
    getItem: (key) => attempt(() => window[kind].getItem(key)) ?? null,
    setItem: (key, value) => attempt(() => window[kind].setItem(key, value)),
  };
}

/**
 * @template T
 * @param {() => T} use
 */
function attempt(use) {
  try {
    return use();
  } catch {
    return undefined;
  }
}
