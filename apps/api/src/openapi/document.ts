import { OpenAPIHono } from '@hono/zod-openapi'
import { definitionKinds, modelNames } from '@netbox-pbs/core'
import { Settings } from '@netbox-pbs/core/settings'
import { z } from 'zod'
import {
  ApproveRequest,
  BranchRequest,
  CommitRequest,
  NewBranch,
  ResolveRequest,
  RevertRequest,
} from '../branches/read-branch-request.ts'
import {
  Branch,
  BranchConflicts,
  MergedBranch,
  ResolvedBranch,
  ServedBranchChange,
  ServedConflict,
  SyncedBranch,
} from '../records/branch.ts'
import { Breach } from '../records/breach.ts'
import { Change } from '../records/change.ts'
import { Delivery, DeliveryDetail } from '../records/delivery.ts'
import { Drill, DrillRequest } from '../records/drill.ts'
import { EncryptionKey, EncryptionKeyChange } from '../records/encryption-key.ts'
import { Detail, FieldErrors, ObjectErrors } from '../records/errors.ts'
import { EventRule, EventRuleRequest } from '../records/event-rule.ts'
import { pageOf } from '../records/fields.ts'
import { Finding, FindingChange } from '../records/finding.ts'
import { CopyLedger, Guest, GuestGroup, GuestWithGroups, SnapshotCopy } from '../records/guest.ts'
import { HeldConflict, HeldDecision, HeldDeletions } from '../records/held-deletions.ts'
import { Night } from '../records/insights.ts'
import { Objective, ObjectiveRequest } from '../records/objective.ts'
import { ServerCost } from '../records/request-cost.ts'
import { SyncRun, SyncRunDetail, SyncRunJob, SyncRunRequest, SyncRunScope } from '../records/run.ts'
import { BriefServer, EndpointTest, ServerReference, ServerTestRequest, UsagePoint } from '../records/server.ts'
import { NewToken, Token, TokenChange, TokenChangeOfMany, TokenProvision, TokenRequest } from '../records/token.ts'
import { User, UserChange, UserChangeOfMany, UserRequest } from '../records/user.ts'
import { Webhook, WebhookRequest } from '../records/webhook.ts'
import type { Path } from '../rest/route.ts'
import { SettingsChange } from '../settings/read-settings.ts'
import { version } from '../version.ts'
import { definitionSchemas } from './definition-schemas.ts'
import { modelSchemas, tagSchemas } from './model-schemas.ts'
import { componentSchemas } from './responses.ts'

/** The OpenAPI document of some paths; the fields of the models come from the registry. */
export function openApiDocument(paths: ReadonlyArray<Path>): object & { readonly servers?: ReadonlyArray<object> } {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  for (const { config } of paths.flatMap(({ routes }) => routes)) openAPIRegistry.registerPath(config)
  const schemas = {
    ...recordSchemas,
    ...tagSchemas,
    ...Object.assign({}, ...definitionKinds.map(definitionSchemas), ...modelNames.map(modelSchemas)),
  }
  for (const [name, schema] of Object.entries<object>(schemas))
    openAPIRegistry.registerComponent('schemas', name, schema)
  openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`Bearer nbt_<key>.<secret>`, or `Token <40 characters>` for a token of version 1',
  })
  return getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'netbox-pbs', version, license: { name: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'The server that this document comes from' }],
    security: [{ token: [] }],
  })
}

/** Everything that is not an inventory model, by its name in the document. */
const records = {
  Detail,
  FieldErrors,
  ObjectErrors,
  BriefServer,
  ServerReference,
  EndpointTest,
  ServerTestRequest,
  Token,
  NewToken,
  TokenList: pageOf(Token),
  TokenRequest,
  TokenChange,
  TokenChangeOfMany,
  TokenProvision,
  User,
  UserList: pageOf(User),
  UserRequest,
  UserChange,
  UserChangeOfMany,
  Branch,
  BranchList: pageOf(Branch),
  BranchRequest,
  NewBranch,
  BranchChange: ServedBranchChange,
  BranchChangeList: pageOf(ServedBranchChange),
  BranchConflict: ServedConflict,
  BranchConflictList: pageOf(ServedConflict),
  BranchConflicts,
  CommitRequest,
  RevertRequest,
  ApproveRequest,
  SyncedBranch,
  ResolveRequest,
  ResolvedBranch,
  MergedBranch,
  ServerCost,
  ServerCostList: pageOf(ServerCost),
  UsagePoint,
  UsagePointList: pageOf(UsagePoint),
  Change,
  ChangeList: pageOf(Change),
  SyncRun,
  SyncRunDetail,
  SyncRunList: pageOf(SyncRun),
  SyncRunJob,
  SyncRunJobList: pageOf(SyncRunJob),
  SyncRunScope,
  SyncRunScopeList: pageOf(SyncRunScope),
  SyncRunRequest,
  EncryptionKey,
  EncryptionKeyList: pageOf(EncryptionKey),
  EncryptionKeyChange: EncryptionKeyChange.partial(),
  Night,
  NightList: pageOf(Night),
  Drill,
  DrillList: pageOf(Drill),
  DrillRequest: DrillRequest.partial(),
  Finding,
  FindingList: pageOf(Finding),
  FindingChange: FindingChange.partial(),
  Guest,
  GuestList: pageOf(Guest),
  GuestGroup,
  GuestWithGroups,
  SnapshotCopy,
  SnapshotCopyList: pageOf(SnapshotCopy),
  CopyLedger,
  CopyLedgerList: pageOf(CopyLedger),
  HeldDeletions,
  HeldDeletionsList: pageOf(HeldDeletions),
  HeldDecision,
  HeldConflict,
  Webhook,
  WebhookList: pageOf(Webhook),
  WebhookRequest,
  EventRule,
  EventRuleList: pageOf(EventRule),
  EventRuleRequest,
  Breach,
  BreachList: pageOf(Breach),
  Objective,
  ObjectiveList: pageOf(Objective),
  ObjectiveRequest,
  Delivery,
  DeliveryDetail,
  DeliveryList: pageOf(Delivery),
  SettingsRequest: SettingsChange,
  Settings: Settings.extend({
    id: z.literal(1),
    url: z.url(),
    display_url: z.url(),
    display: z.string(),
    proxbox_api_key_configured: z.boolean(),
    created: z.iso.datetime(),
    last_updated: z.iso.datetime(),
  }),
}

/** The schemas of everything that is not an inventory model: those that check the requests and type the answers. */
const recordSchemas: Readonly<Record<string, object>> = componentSchemas(records)
