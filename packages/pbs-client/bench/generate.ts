/** A snapshot as PBS lists it, about 700 bytes. */
export const snapshotJson = (index: number): string =>
  JSON.stringify({
    'backup-type': index % 3 === 0 ? 'ct' : 'vm',
    'backup-id': String(100 + (index % 500)),
    'backup-time': 1_700_000_000 + index * 60,
    comment: `web${index % 500}.example.net "prod"`,
    verification: {
      upid: 'UPID:pbs1:000003F2:00001A2B:00000021:6A1A6ED0:verificationjob:tank\\x3av\\x2d7c1e\\x2d2b:root@pam:',
      state: 'ok',
    },
    fingerprint: '9d:20:5c:aa:41:7e:03:bb:64:f8:19:c2:8e:57:0d:36:e1:92:4b:7f:a8:15:dc:60:33:fe:08:b7:5a:c9:71:1e',
    files: [
      { filename: 'qemu-server.conf.blob', 'crypt-mode': 'encrypt', size: 428 },
      { filename: 'drive-scsi0.img.fidx', 'crypt-mode': 'encrypt', size: 34_359_738_368 },
      { filename: 'index.json.blob', 'crypt-mode': 'sign-only', size: 560 },
      { filename: 'client.log.blob' },
    ],
    size: 34_359_739_356,
    owner: 'backup@pbs!pve',
    protected: false,
  })

/** The body of a list of snapshots in pieces of about 64 KiB, never whole in memory. */
export function* snapshotBody(count: number): Generator<Buffer> {
  let piece = '{"data":['
  for (let index = 0; index < count; index++) {
    piece += index === 0 ? snapshotJson(index) : `,${snapshotJson(index)}`
    if (piece.length > 65_536) {
      yield Buffer.from(piece)
      piece = ''
    }
  }
  yield Buffer.from(`${piece}]}`)
}
