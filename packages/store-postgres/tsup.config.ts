import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'esm',
  // PGlite's declarations, which ours import, use this namespace without a reference to it.
  dts: { banner: '/// <reference types="emscripten" />' },
  clean: true,
  sourcemap: true,
  target: 'node22',
})
