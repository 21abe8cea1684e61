import type { Migration } from 'kysely/migration'
import { migration as inventory } from './0001-inventory.ts'
import { migration as accountsAndRuns } from './0002-accounts-runs.ts'
import { migration as changes } from './0003-changes.ts'
import { migration as heldDeletions } from './0004-held-sets.ts'
import { migration as schedules } from './0005-schedules.ts'
import { migration as tasks } from './0006-tasks.ts'
import { migration as serverHealth } from './0007-server-health.ts'
import { migration as datastoreUsage } from './0008-datastore-usage.ts'
import { migration as branches } from './0010-branches.ts'
import { migration as overrides } from './0011-overrides.ts'
import { migration as branchInventories } from './0012-branch-inventories.ts'
import { migration as branchStatistics } from './0013-branch-statistics.ts'
import { migration as shadowedSnapshots } from './0014-shadowed-snapshots.ts'
import { migration as scopesByServerId } from './0015-scopes-by-server-id.ts'
import { migration as changeOrder } from './0017-change-order.ts'
import { migration as absentRows } from './0019-absent-rows.ts'
import { migration as finishedBackups } from './0020-finished-backups.ts'
import { migration as workers } from './0021-workers.ts'
import { migration as serverTimeouts } from './0025-server-timeouts.ts'
import { migration as jobsByServerId } from './0027-jobs-by-server-id.ts'
import { migration as chosenServersById } from './0028-chosen-servers-by-id.ts'
import { migration as branchKeyIndexes } from './0030-branch-key-indexes.ts'
import { migration as childrenHeldRenamed } from './0034-children-held.ts'
import { migration as visibilityRenamed } from './0035-visibility.ts'
import { migration as overridesRenamed } from './0036-overrides.ts'
import { migration as heldDeletionsRenamed } from './0037-held-deletions.ts'
import { migration as scopeFilterRenamed } from './0038-scope-filter.ts'
import { migration as branchWords } from './0039-branch-words.ts'
import { migration as waitingGroups } from './0040-waiting-groups.ts'
import { migration as serverNodes } from './0042-server-nodes.ts'
import { migration as staleGroupCounts } from './0043-stale-group-counts.ts'
import { migration as usageAge } from './0044-usage-age.ts'
import { migration as jobErrors } from './0045-job-errors.ts'
import { migration as lightRuns } from './0046-light-runs.ts'
import { migration as clockOffsets } from './0047-clock-offsets.ts'
import { migration as requestCosts } from './0048-request-costs.ts'
import { migration as sleepHours } from './0049-sleep-hours.ts'
import { migration as freePageSpace } from './0050-free-page-space.ts'
import { migration as tokenWarnings } from './0051-token-warnings.ts'
import { migration as messages } from './0053-messages.ts'
import { migration as definitions } from './0054-definitions.ts'
import { migration as detachedValues } from './0055-detached-values.ts'
import { migration as customValues } from './0056-custom-values.ts'
import { migration as tokenVersions } from './0057-token-versions.ts'
import { migration as users } from './0058-users.ts'
import { migration as eventRules } from './0063-event-rules.ts'
import { migration as deliveries } from './0064-deliveries.ts'
import { migration as identities } from './0066-identities.ts'
import { migration as movedGroups } from './0074-moved-groups.ts'
import { migration as detachedGroups } from './0075-detached-groups.ts'
import { migration as scopeCounts } from './0080-scope-counts.ts'
import { migration as snapshotVariants } from './0081-snapshot-variants.ts'
import { migration as groupTexts } from './0082-group-texts.ts'
import { migration as jobHealth } from './0084-job-health.ts'
import { migration as objectives } from './0085-objectives.ts'
import { migration as protection } from './0086-protection.ts'
import { migration as breaches } from './0087-breaches.ts'
import { migration as guests } from './0088-guests.ts'
import { migration as verificationCounts } from './0090-verification-counts.ts'
import { migration as forecasts } from './0091-forecasts.ts'
import { migration as keys } from './0092-keys.ts'
import { migration as findings } from './0093-findings.ts'
import { migration as drills } from './0094-drills.ts'

/**
 * Every migration of the inventory's database, by name: numbered, applied in order, forward only,
 * never changed once released.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001_inventory': inventory,
  '0002_accounts_runs': accountsAndRuns,
  '0003_changes': changes,
  '0004_held_sets': heldDeletions,
  '0005_schedules': schedules,
  '0006_tasks': tasks,
  '0007_server_health': serverHealth,
  '0008_datastore_usage': datastoreUsage,
  '0010_branches': branches,
  '0011_pins': overrides,
  '0012_branch_inventories': branchInventories,
  '0013_branch_statistics': branchStatistics,
  '0014_shadowed_snapshots': shadowedSnapshots,
  '0015_scopes_by_server_id': scopesByServerId,
  '0017_change_order': changeOrder,
  '0019_absent_rows': absentRows,
  '0020_finished_backups': finishedBackups,
  '0021_workers': workers,
  '0025_server_timeouts': serverTimeouts,
  '0027_jobs_by_server_id': jobsByServerId,
  '0028_chosen_servers_by_id': chosenServersById,
  '0030_branch_key_indexes': branchKeyIndexes,
  '0034_children_held': childrenHeldRenamed,
  '0035_visibility': visibilityRenamed,
  '0036_overrides': overridesRenamed,
  '0037_held_deletions': heldDeletionsRenamed,
  '0038_scope_filter': scopeFilterRenamed,
  '0039_branch_words': branchWords,
  '0040_waiting_groups': waitingGroups,
  '0042_server_nodes': serverNodes,
  '0043_stale_group_counts': staleGroupCounts,
  '0044_usage_age': usageAge,
  '0045_job_errors': jobErrors,
  '0046_light_runs': lightRuns,
  '0047_clock_offsets': clockOffsets,
  '0048_request_costs': requestCosts,
  '0049_sleep_hours': sleepHours,
  '0050_free_page_space': freePageSpace,
  '0051_token_warnings': tokenWarnings,
  '0053_messages': messages,
  '0054_definitions': definitions,
  '0055_detached_values': detachedValues,
  '0056_custom_values': customValues,
  '0057_token_versions': tokenVersions,
  '0058_users': users,
  '0063_event_rules': eventRules,
  '0064_deliveries': deliveries,
  '0066_identities': identities,
  '0074_moved_groups': movedGroups,
  '0075_detached_groups': detachedGroups,
  '0080_scope_counts': scopeCounts,
  '0081_snapshot_variants': snapshotVariants,
  '0082_group_texts': groupTexts,
  '0084_job_health': jobHealth,
  '0085_objectives': objectives,
  '0086_protection': protection,
  '0087_breaches': breaches,
  '0088_guests': guests,
  '0090_verification_counts': verificationCounts,
  '0091_forecasts': forecasts,
  '0092_keys': keys,
  '0093_findings': findings,
  '0094_drills': drills,
}
