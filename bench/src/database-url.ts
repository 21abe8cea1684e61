/** The PostgreSQL server that the operator wants measured; null: a temporary one. */
export function givenDatabaseUrl(): string | null {
  const given = process.env['DATABASE_URL']
  return given === undefined || given === '' ? null : given
}
