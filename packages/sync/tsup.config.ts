import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsup'

const suites = fileURLToPath(new URL('../testing/src/contract/index.ts', import.meta.url))

export default defineConfig({
  entry: { index: 'src/index.ts', testing: 'test/testing.ts' },
  format: 'esm',
  // The contract suites, of a private package, become part of this one, with their declarations.
  noExternal: [/^@netbox-pbs\/testing(\/|$)/],
  dts: { compilerOptions: { paths: { '@netbox-pbs/testing/contract': [suites] } } },
  clean: true,
  sourcemap: true,
  target: 'node22',
})
