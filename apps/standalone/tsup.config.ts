import { cpSync } from 'node:fs'
import { defineConfig } from 'tsup'

export default defineConfig({
  // The separate apps are part of the package: one install runs the system on one machine or on several.
  entry: {
    'netbox-pbs': 'src/main.ts',
    gateway: '../gateway/src/main.ts',
    worker: '../worker/src/main.ts',
    api: '../api/src/main.ts',
  },
  format: 'esm',
  splitting: true, // a command loads what it uses, and only a demo loads the simulator
  clean: true,
  sourcemap: true,
  target: 'node22',
  // The private packages become part of the command. Their imports are among its dependencies.
  noExternal: [/^@netbox-pbs\/(api|app-shell|gateway|pbs-simulator|worker)(\/|$)/],
  onSuccess: async () => cpSync('../api/src/pages/assets', 'dist/assets', { recursive: true }),
})
