import type { RequestListener } from 'node:http'

/** What PBS answers to plain HTTP: 301 for GET and HEAD, 308 otherwise; the path is dropped. */
export const redirectToHttps: RequestListener = (request, response) => {
  const status = request.method === 'GET' || request.method === 'HEAD' ? 301 : 308
  const host = request.headers.host
  if (host === undefined) response.writeHead(400)
  else response.writeHead(status, { location: `https://${host}` })
  response.end()
}
