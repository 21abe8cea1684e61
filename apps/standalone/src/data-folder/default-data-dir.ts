import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The data folder unless `--data-dir` names another: `$XDG_STATE_HOME/netbox-pbs`, which is `~/.local/state/netbox-pbs` where the variable is not set. It lies outside any
 * checkout, so that cleaning one cannot take database and keys along.
 */
export const defaultDataDir: string = join(
  process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'),
  'netbox-pbs',
)
