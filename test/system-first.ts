import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Tests of whole systems wait for processes: started first, they wait while others compute, and
 * none of them is left to run alone at the end.
 */
export default class SystemFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const ofSystems = ({ moduleId }: TestSpecification) => moduleId.includes('/apps/standalone/test/')
    const sorted = await super.sort(files)
    return [...sorted.filter(ofSystems), ...sorted.filter((file) => !ofSystems(file))]
  }
}
