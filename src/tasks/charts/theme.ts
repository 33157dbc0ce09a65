export const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

export interface Palette {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly threshold: string;
  readonly firing: string;
  readonly bandOpacity: number;
  /** Told apart also with a weakness for red and green, and by the labels at their ends. */
  readonly lines: readonly string[];
}

/** Dark is for the night: no white area anywhere. */
export const PALETTES: Readonly<Record<Theme, Palette>> = {
  dark: {
    background: '#11161d',
    text: '#eef2f6',
    muted: '#a3b1c0',
    grid: '#232d38',
    axis: '#4a5867',
    threshold: '#ff8a5c',
    firing: '#ff5d5d',
    bandOpacity: 0.16,
    lines: ['#5cb8ff', '#ffd166', '#7be0ad', '#d6a3ff', '#ff9ecb', '#b8c7d6'],
  },
  light: {
    background: '#ffffff',
    text: '#14202b',
    muted: '#55636f',
    grid: '#e6eaee',
    axis: '#9aa7b3',
    threshold: '#c2410c',
    firing: '#d92d2d',
    bandOpacity: 0.12,
    lines: ['#0b6bcb', '#a16207', '#0f7b4f', '#7c3aed', '#be185d', '#475569'],
  },
};
