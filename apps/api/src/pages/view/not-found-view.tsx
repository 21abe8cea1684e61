/** What is asked for does not exist, or no longer. */
export const NotFoundView = ({ what, list }: { what: string; list: string }) => (
  <div class="empty">
    <p class="empty-title">{what} does not exist</p>
    <p class="empty-subtitle text-secondary">It may have been deleted since the link was made.</p>
    <div class="empty-action">
      <a class="btn" href={list}>
        Back to the list
      </a>
    </div>
  </div>
)
