import { describe, expect, test } from 'vitest'
import type { Field, FieldClass, Model } from './field.ts'
import { fieldsOfClass, modelNames, registry } from './registry.ts'

const classes: ReadonlyArray<FieldClass> = ['key', 'immutable', 'source', 'operator', 'observation', 'derived']

test('every model is registered under its own name', () => {
  expect(Object.keys(registry)).toEqual([...modelNames])
  for (const name of modelNames) expect(registry[name].name).toBe(name)
})

describe.each(modelNames)('%s', (name) => {
  const model: Model = registry[name]
  const fields = Object.entries<Field>(model.fields)
  const names = new Set(Object.keys(model.fields))
  const bare = (column: string) => column.replace(/^-/, '')

  test('gives each column exactly one class', () => {
    expect(classes.flatMap((one) => fieldsOfClass(name, one)).sort()).toEqual([...names].sort())
  })

  test('has the fields of class key as its key, in their order', () => {
    expect(fieldsOfClass(name, 'key')).toEqual(model.key)
  })

  test('names only columns that it has', () => {
    for (const list of [model.key, model.brief, model.order.map(bare), model.columns]) {
      expect(list.filter((column) => !names.has(column))).toEqual([])
    }
    const searched = model.search.filter((column) => column !== 'server.name')
    expect(searched.filter((column) => model.fields[column]?.type !== 'text')).toEqual([])
  })

  test('orders by its whole key, or as a history the newest first', () => {
    expect([model.key, ['starttime']]).toContainEqual(model.order.map(bare))
  })

  test('links its lists to a row by a column that is always filled', () => {
    const always = [...model.key, ...fields.filter(([, field]) => field.required).map(([column]) => column)]
    expect(always).toContain(model.columns[0])
  })

  test('has a key without nulls', () => {
    expect(model.key.filter((column) => model.fields[column]?.nullable === true)).toEqual([])
  })

  test('has a value for every column that a create may leave out', () => {
    const without = fields.filter(
      ([, field]) =>
        field.required !== true && field.nullable !== true && !('default' in field && field.default !== undefined),
    )
    expect(without.map(([column]) => column)).toEqual([])
  })

  test('has defaults among its choices', () => {
    for (const [, field] of fields) {
      if (field.type !== 'choice' || field.default === undefined) continue
      expect(field.choices.map(({ value }) => value)).toContain(field.default)
    }
  })

  test('refers to models that come before it', () => {
    for (const [, field] of fields) {
      if (field.type === 'reference') expect(modelNames.indexOf(field.model)).toBeLessThan(modelNames.indexOf(name))
    }
  })

  test('gives witnesses to immutable fields only, and they are columns', () => {
    for (const [, field] of fields) {
      if (field.witness === undefined) continue
      expect([field.class, names.has(field.witness)]).toEqual(['immutable', true])
    }
  })

  test('makes derived fields read-only', () => {
    for (const [, field] of fields) if (field.class === 'derived') expect(field.readOnly).toBe(true)
  })
})
