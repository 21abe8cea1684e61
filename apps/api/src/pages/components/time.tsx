import { createContext, useContext } from 'hono/jsx'
import { formatAge, formatTime } from './format.ts'

/** When the page was drawn, in milliseconds since 1970; ages are counted to then. Null: ages are left out. */
export const PageTime = createContext<number | null>(null)

/**
 * How a time is shown: its age alone, such as `3 h ago`; how long ago it was, `3 h`; the time to the minute with its
 * age; or the time to the second with its age.
 */
type Form = 'age' | 'length' | 'dated' | 'exact'

/**
 * A time, with its exact value in UTC on hover. A script of ours adds the time of the reader's zone
 * there.
 */
export const Time = ({ time, form = 'age' }: { time: string; form?: Form }) => {
  const now = useContext(PageTime)
  const exact = formatTime(time)
  const age = now === null ? null : formatAge(time, now)
  return (
    <time datetime={time} title={exact}>
      {age === null || form === 'age' || form === 'length' ? (
        <span class="text-nowrap">{age === null ? exact : form === 'age' ? age : age.replace(/^in | ago$/g, '')}</span>
      ) : (
        <>
          <span class="text-nowrap">{form === 'dated' ? exact.slice(0, 16) : exact}</span>{' '}
          <span class="text-secondary text-nowrap">{age}</span>
        </>
      )}
    </time>
  )
}
