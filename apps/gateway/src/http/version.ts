import manifest from '../../package.json' with { type: 'json' }

/** The release of the gateway. */
export const version: string = manifest.version
