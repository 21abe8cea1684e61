/**
 * A callback for events of sockets and timers that never throws, because an exception there would
 * end the process. An exception of `callback` goes to `onDefect`, which resumes the waiting caller.
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
