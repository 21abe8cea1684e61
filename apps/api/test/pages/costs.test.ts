import { formatDay } from '@netbox-pbs/core'
import { RequestCosts, Runs } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

let site: Site
let reader: Visitor
let page: string

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  const writer = await new Visitor(site.url).signIn(tokens.writer)
  reader = await new Visitor(site.url).signIn(tokens.reader)
  const made = await writer.send('/plugins/pbs/servers/add/', {
    name: 'pbs-a',
    host: 'pbs-a.example',
    port: '8007',
    token_id: 'inventory@pbs!reader',
    token_secret: 'c0ffee00-1234-4abc-8def-000000000001',
    form_token: await writer.formToken(),
  })
  page = made.headers.get('location') ?? ''
})
afterAll(() => site.stop())

const serverId = () => Number(/(\d+)\/$/.exec(page)?.[1])
const dayBefore = (days: number) => formatDay(Date.now() - days * 86_400_000)

test('a server that was never asked has no panel of requests', async () => {
  expect((await reader.get(page)).text).not.toContain('Requests to this server')
})

test("a server's page has its requests of today, of seven days and of its last run, whose page has them too", async () => {
  const run = await site.use(
    Effect.gen(function* () {
      const runs = yield* Runs
      const { id } = yield* runs.create({ resources: ['jobs'], servers: null, trigger: 'manual', user: '' })
      yield* runs.expectJobs({ id, serverIds: [serverId()] })
      const record = (day: string, requests: number) =>
        Effect.flatMap(RequestCosts, (costs) =>
          costs.record({
            ...{ runId: id, serverId: serverId(), day },
            costs: [
              { server: 'pbs-a', run: String(id), requests, bytes: requests * 1024, millis: 65_000, most_in_flight: 4 },
            ],
          }),
        )
      yield* record(dayBefore(7), 1000)
      yield* record(dayBefore(6), 30)
      yield* record(dayBefore(0), 2)
      return id
    }),
  )
  const { text } = await reader.get(page)
  const panel = /Requests to this server[\s\S]*?<\/table>/.exec(text)?.[0] ?? ''
  const rows = [...panel.matchAll(/<tr>[\s\S]*?<\/tr>/g)]
    .slice(1)
    .map(([row]) =>
      [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, cell = '']) => cell.replaceAll(/<[^>]*>/g, '')),
    )
  expect(rows).toEqual([
    ['Today (UTC)', '2', '2 KiB', '1 min 5 s', '4'],
    ['Last 7 days', '32', '32 KiB', '2 min 10 s', '4'],
    [`Run ${run}`, '1\u202f032', '1 MiB', '3 min 15 s', '4'],
  ])
  const { text: runText } = await reader.get(`/plugins/pbs/sync-runs/${run}/`)
  expect(runText).toContain('1\u202f032 requests, 1 MiB, 3 min 15 s of waiting, at most 4 at once')
})
