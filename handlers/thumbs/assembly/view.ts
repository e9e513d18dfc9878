/** The part of a picture that a thumbnail shows, in pixels of the picture, and the thumbnail's size. */
export class View {
  constructor(
    public left: f64,
    public top: f64,
    /** Pixels of the picture for each of the thumbnail, in each direction; at least 1. */
    public stepX: f64,
    public stepY: f64,
    public width: i32,
    public height: i32,
  ) {}

  /** All of the picture, not wider than `boxWidth` and not higher than `boxHeight`. Small pictures stay as they are. */
  static contain(width: i32, height: i32, boxWidth: i32, boxHeight: i32): View {
    const scale = min(1, min(<f64>boxWidth / <f64>width, <f64>boxHeight / <f64>height));
    const toWidth = rounded(<f64>width * scale);
    const toHeight = rounded(<f64>height * scale);
    return new View(0, 0, <f64>width / <f64>toWidth, <f64>height / <f64>toHeight, toWidth, toHeight);
  }

  /** The middle of the picture, as large as fills the box. Small pictures are cut to its shape, and not enlarged. */
  static cover(width: i32, height: i32, boxWidth: i32, boxHeight: i32): View {
    const scale = min(1, max(<f64>boxWidth / <f64>width, <f64>boxHeight / <f64>height));
    const toWidth = min(boxWidth, rounded(<f64>width * scale));
    const toHeight = min(boxHeight, rounded(<f64>height * scale));
    const left = max(0, (<f64>width - <f64>toWidth / scale) / 2);
    const top = max(0, (<f64>height - <f64>toHeight / scale) / 2);
    // At full size whole pixels are taken: half a pixel to the side would only blur them.
    if (scale == 1) return new View(Math.floor(left), Math.floor(top), 1, 1, toWidth, toHeight);
    const stepX = min(1 / scale, <f64>width / <f64>toWidth);
    const stepY = min(1 / scale, <f64>height / <f64>toHeight);
    return new View(left, top, stepX, stepY, toWidth, toHeight);
  }
}

function rounded(length: f64): i32 {
  return max(1, <i32>(length + 0.5));
}
