// Follows the choice NetBox stores, else the system's.
const stored = localStorage.getItem('netbox-color-mode')
const dark = stored ? stored === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
document.documentElement.setAttribute('data-bs-theme', dark ? 'dark' : 'light')
