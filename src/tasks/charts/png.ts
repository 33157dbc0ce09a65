import { createRequire } from 'node:module';

const resolve = createRequire(import.meta.url).resolve;
/** Come as a dependency, so that pictures look the same on a machine without any font. */
const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

export interface Png {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}

/** The picture of an SVG, in pixels of its own size; drawn beside the event loop. */
export async function pngOf(svg: string, signal?: AbortSignal): Promise<Png> {
  // Loaded when the first picture is wanted: most processes never draw one.
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(
    svg,
    {
      font: {
        loadSystemFonts: false,
        fontFiles: FONTS.map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}`)),
        defaultFontFamily: 'DejaVu Sans',
        sansSerifFamily: 'DejaVu Sans',
      },
    },
    signal ?? null,
  );
  return { bytes: image.asPng(), width: image.width, height: image.height };
}
