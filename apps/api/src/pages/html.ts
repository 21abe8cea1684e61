import type { JSX } from 'hono/jsx/jsx-runtime'

/** A page as a response. Everything in it was escaped when it was drawn. */
export function html(page: JSX.Element, status = 200): Response {
  return new Response(`<!doctype html>${String(page)}`, {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  })
}

/** Sends the browser to another page, which it asks for with GET. */
export const seeOther = (path: string): Response =>
  new Response(null, { status: 303, headers: { Location: path, 'Cache-Control': 'no-store' } })
