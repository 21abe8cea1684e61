/** Who is signed in, as pages need it. */
export interface Viewer {
  readonly username: string
  readonly writes: boolean
  /** Goes into every form; bound to the session. */
  readonly formToken: string
}
