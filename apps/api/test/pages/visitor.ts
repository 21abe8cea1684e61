/** A page as a browser got it. */
export interface Got {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** The fields of a sent form. */
export interface Sending {
  /** Null: no such header. Left out: the site's own. */
  readonly origin?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** A browser without a script: it keeps the cookies it is given and follows no redirect. */
export class Visitor {
  readonly url: string
  #cookie: string | null = null

  constructor(url: string) {
    this.url = url
  }

  get cookie(): string | null {
    return this.#cookie
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
    return this.#fetch(path, { headers })
  }

  head(path: string): Promise<Got> {
    return this.#fetch(path, { method: 'HEAD' })
  }

  send(path: string, fields: Readonly<Record<string, string>>, { origin = this.url, headers = {} }: Sending = {}) {
    const own = origin === null ? {} : { Origin: origin }
    return this.#fetch(path, { method: 'POST', headers: { ...own, ...headers }, body: new URLSearchParams(fields) })
  }

  /** The form token of the visitor's pages. */
  async formToken(): Promise<string> {
    const { text } = await this.get('/plugins/pbs/')
    return /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? ''
  }

  async signIn(token: string): Promise<this> {
    await this.send('/plugins/pbs/login/', { token })
    return this
  }

  async #fetch(path: string, { headers = {}, ...init }: RequestInit & { headers?: Readonly<Record<string, string>> }) {
    const response = await fetch(`${this.url}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...headers, ...(this.#cookie === null ? {} : { Cookie: this.#cookie }) },
    })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.#cookie = /Max-Age=0/.test(set) ? null : (set.split(';')[0] ?? null)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
}
