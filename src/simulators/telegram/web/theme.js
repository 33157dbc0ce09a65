// Runs before the first paint, as a classic script, so that the page never flashes in the wrong theme.
(() => {
  const KEY = 'vakhta-theme';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const asked = new URLSearchParams(location.search).get('theme');
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  let chosen = asked === 'dark' || asked === 'light' ? asked : stored();
  const apply = () => {
    document.documentElement.dataset.theme = chosen ?? (dark.matches ? 'dark' : 'light');
    document.dispatchEvent(new Event('themechange'));
  };
  dark.addEventListener('change', apply);
  document.addEventListener('themetoggle', () => {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // A browser without storage forgets the choice with the page.
    }
    apply();
  });
  apply();
})();
