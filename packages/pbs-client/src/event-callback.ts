/**
 * A callback for events of sockets and timers that never throws: nothing catches what such a
 * callback throws, so it would end the process. What `callback` throws goes to `onDefect`, which
 * resumes whoever waits.
 */
export const eventCallback =
  <A extends ReadonlyArray<unknown>>(onDefect: (defect: unknown) => void, callback: (...args: A) => void) =>
  (...args: A): void => {
    try {
      callback(...args)
    } catch (defect) {
      onDefect(defect)
    }
  }
