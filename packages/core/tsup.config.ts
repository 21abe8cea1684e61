import { defineConfig } from 'tsup'

const entries = { index: 'src/index.ts', 'ports/index': 'src/ports/index.ts', settings: 'src/settings.ts' }

export default defineConfig({
  // A module for each file: a bundler leaves out a whole module that is not used, but not a constant that is computed.
  entry: ['src/**/*.ts', '!src/**/*.test.ts'],
  format: 'esm',
  dts: { entry: entries },
  clean: true,
  sourcemap: true,
  target: 'node22',
})
