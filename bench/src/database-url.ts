import { Config, Effect, Option } from 'effect'

/** The PostgreSQL server that the operator wants measured; null: a temporary one. */
export function givenDatabaseUrl(): string | null {
  const given = Effect.runSync(Config.option(Config.string('DATABASE_URL')))
  return Option.getOrNull(Option.filter(given, (url) => url !== ''))
}
