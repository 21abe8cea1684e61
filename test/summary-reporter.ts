import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends the output with `N passed, N failed`, or `…, N skipped`, alone on the last line. A file that
 * cannot be loaded counts as failed.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const states = modules.flatMap((module) => {
      const tests = [...module.children.allTests()].map((test) => test.result().state)
      return module.state() === 'failed' && !tests.includes('failed') ? [...tests, 'failed'] : tests
    })
    const count = (state: string) => states.filter((one) => one === state).length
    const skipped = count('skipped') + count('pending')
    const failed = count('failed') + unhandled.length
    // The other reporters write what they still hold when the event is over.
    process.on('exit', () => {
      process.stdout.write(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
    })
  }
}
