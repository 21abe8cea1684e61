import { formatBytes } from './format.ts'

/** How full something is, with NetBox's marks: yellow from 75 %, red from 90 %. */
export const Usage = ({ used, total }: { used: number; total: number }) => {
  const share = total > 0 ? Math.round((used / total) * 100) : 0
  return (
    <span class="netbox-pbs-usage">
      <span>{formatBytes(used)}</span>
      <meter min={0} max={100} low={75} high={90} optimum={0} value={share} aria-label={`${share} % used`} />
      <span class="text-secondary">{share} %</span>
    </span>
  )
}
