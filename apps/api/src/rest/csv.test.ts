import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test.each([
  [['plain', 'a b', ''], 'plain,a b,'],
  [['a,b', 'say "no"', 'two\nlines', 'a\rb'], '"a,b","say ""no""","two\nlines","a\rb"'],
  [[1, -5, 0.5, true, false, null, undefined], '1,-5,0.5,true,false,,'],
  [['=1+1', '+1', '-1', '@x', '\tx', '＝1'], `'=1+1,'+1,'-1,'@x,'\tx,'＝1`],
  [['=HYPERLINK("x","y")'], `"'=HYPERLINK(""x"",""y"")"`],
  [
    [
      { value: 'vm', label: 'VM' },
      { value: '=x', label: 'x' },
    ],
    `vm,'=x`,
  ],
  [
    [
      { id: 1, url: 'http://x/1/', display: 'Run 1' },
      { id: 1, url: 'http://x/1/', display: 'd', name: 'pbs-a' },
    ],
    'Run 1,pbs-a',
  ],
  [
    [
      [],
      [
        { id: 1, slug: 'off-site', name: 'Off site' },
        { id: 2, slug: 'b' },
      ],
    ],
    ',"off-site,b"',
  ],
  [
    [
      [
        { value: 'a', label: 'A' },
        { value: 'b', label: 'B' },
      ],
      [{ value: '=x', label: 'X' }],
      [{ value: 1, label: 'X' }],
    ],
    `"a,b",'=x,"[{""value"":1,""label"":""X""}]"`,
  ],
  [[{ a: [1, '"'] }, [1, 2], ['=x'], {}], `"{""a"":[1,""\\""""]}","[1,2]","[""=x""]",{}`],
])('%j', (cells, line) => {
  expect(csvLine(cells)).toBe(`${line}\r\n`)
})
