import { nodeSchema } from '../http/parameters.ts'
import { localTimeOf } from '../state/schedule.ts'
import { may, type Route } from './route.ts'

const GIB = 1024 ** 3

/** Server-wide facts: its name and release, its clock and its load. */
export const nodeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/ping',
    permission: 'world',
    parameters: () => ({}),
    handle: () => ({ data: { pong: true } }),
  },
  {
    method: 'GET',
    path: '/version',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: ({ state }) => ({ data: { version: state.version, release: state.release, repoid: state.repoid } }),
  },
  {
    method: 'GET',
    path: '/nodes',
    permission: 'superuser',
    parameters: () => ({}),
    handle: ({ state }) => ({ data: [{ node: state.name }] }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/time',
    permission: 'authenticated',
    parameters: () => ({ node: nodeSchema }),
    handle: ({ state, clock }) => ({
      data: { timezone: state.timezone, time: clock, localtime: localTimeOf(state.timezone, clock) },
    }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/identity',
    since: '4.2',
    permission: 'authenticated',
    parameters: () => ({ node: nodeSchema }),
    handle: ({ state }) => ({ data: { 'pbs-instance-id': state.instanceId } }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/status',
    permission: (context) => may(context, '/system/status', 'Sys.Audit'),
    parameters: () => ({ node: nodeSchema }),
    handle: ({ fingerprint }) => ({
      data: {
        memory: { total: 64 * GIB, used: 9 * GIB, free: 3 * GIB },
        swap: { total: 8 * GIB, used: 0, free: 8 * GIB },
        root: { total: 100_861_726_720, used: 7_516_192_768, avail: 88_181_059_584 },
        uptime: 1_904_511,
        loadavg: [0.21, 0.34, 0.4],
        cpu: 0.0123,
        wait: 0.0004,
        cpuinfo: { model: 'AMD EPYC 3251 8-Core Processor', sockets: 1, cpus: 16 },
        'current-kernel': {
          sysname: 'Linux',
          release: '6.17.2-1-pve',
          version: '#1 SMP PREEMPT_DYNAMIC PMX 6.17.2-1',
          machine: 'x86_64',
        },
        kversion: 'Linux 6.17.2-1-pve #1 SMP PREEMPT_DYNAMIC PMX 6.17.2-1',
        info: { fingerprint },
        'boot-info': { mode: 'efi', secureboot: false },
      },
    }),
  },
]
