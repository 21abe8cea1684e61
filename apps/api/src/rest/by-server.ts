/** Why a user who sees some servers only is refused what is about all of them. */
export const notByServer = 'This is about all servers, and your user sees some of them only.'

/** The same of a branch: its changes may be of any server. */
export const branchNotByServer = 'A branch is about all servers, and your user sees some of them only: work on main.'
