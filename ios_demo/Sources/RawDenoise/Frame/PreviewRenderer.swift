import Foundation

/// 8-bit RGBA pixels, row by row, opaque.
public struct Picture: Equatable, Sendable {
  public let rows: Int
  public let columns: Int
  public let pixels: [UInt8]
}

/// What a RAW converter shows, in its simplest form: white balance, bilinear demosaicing, the
/// camera's matrix, sRGB. For looking at on the screen; the DNG is for other programs.
///
/// Exposure is fixed by the caller, so that noisy and denoised are shown alike.
public struct PreviewRenderer: Sendable {
  private let black: [Float]
  private let scale: [Float]
  private let matrix: [Float]

  /// - Parameter brightness: exposure factor.
  public init(of frame: RawFrame, brightness: Float = 1) {
    let neutral = (frame.asShotNeutral ?? [1, 1, 1]).map { Float($0) }
    let byColor = [neutral[0], neutral[1], neutral[1], neutral[2]]
    let levels = frame.cfa.cellOrder(frame.blackLevel)
    black = levels.map { Float($0) }
    scale = zip(levels, frame.cfa.cellOrder(byColor)).map { level, neutral in
      brightness / (neutral * Float(frame.whiteLevel - level))
    }
    matrix = PreviewRenderer.cameraToSRGB(frame.colorMatrix)
  }

  /// The exposure at which the mean of a frame is middle gray, within 1 to 16.
  public static func brightness(for frame: RawFrame) -> Float {
    let levels = frame.cfa.cellOrder(frame.blackLevel)
    let (columns, count) = (frame.mosaic.columns, frame.mosaic.samples.count)
    // An odd step meets all four colours alike.
    let picked = Swift.stride(from: 0, to: count, by: 37)
    let sum = picked.reduce(0.0) { sum, index in
      let black = levels[2 * (index / columns % 2) + index % columns % 2]
      return sum + (Double(frame.mosaic.samples[index]) - black) / (frame.whiteLevel - black)
    }
    let mean = sum / Double((count + 36) / 37)
    return Float(min(max(0.18 / max(mean, 1e-4), 1), 16))
  }

  /// - Parameter step: every how many samples of a side a pixel is made; 1 keeps all.
  public func render(_ frame: RawFrame, step: Int = 1) -> Picture {
    let mosaic = frame.mosaic
    let (rows, columns) = ((mosaic.rows + step - 1) / step, (mosaic.columns + step - 1) / step)
    var pixels = [UInt8](repeating: 255, count: 4 * rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let rgb = color(frame, row * step, column * step)
        let at = 4 * (row * columns + column)
        for channel in 0..<3 {
          let linear =
            matrix[3 * channel] * rgb.0 + matrix[3 * channel + 1] * rgb.1
            + matrix[3 * channel + 2] * rgb.2
          // A file's own neutral may be so odd that this is NaN, which no index can be made of.
          let shown = linear > 0 ? min(linear, 1) : 0
          pixels[at + channel] = PreviewRenderer.gamma[Int(shown * 4095)]
        }
      }
    }
    return Picture(rows: rows, columns: columns, pixels: pixels)
  }

  /// Red, green and blue at a sample: of each colour the mean of what is within one step, weighted
  /// as in bilinear interpolation. What lies outside the frame is left out.
  private func color(_ frame: RawFrame, _ row: Int, _ column: Int) -> (Float, Float, Float) {
    let mosaic = frame.mosaic
    let red = frame.cfa.redOffset
    var (sums, weights) = (SIMD4<Float>.zero, SIMD4<Float>.zero)
    for y in max(row - 1, 0)...min(row + 1, mosaic.rows - 1) {
      for x in max(column - 1, 0)...min(column + 1, mosaic.columns - 1) {
        let cell = 2 * (y % 2) + x % 2
        let weight: Float = (y == row ? 2 : 1) * (x == column ? 2 : 1)
        let channel = (y + red.row) % 2 + (x + red.column) % 2  // 0 red, 1 green, 2 blue
        sums[channel] += weight * min((Float(mosaic[y, x]) - black[cell]) * scale[cell], 1)
        weights[channel] += weight
      }
    }
    // A sample that is green needs no neighbour's green.
    let ownIsGreen = (row + red.row) % 2 != (column + red.column) % 2
    if ownIsGreen {
      let cell = 2 * (row % 2) + column % 2
      sums[1] = min((Float(mosaic[row, column]) - black[cell]) * scale[cell], 1)
      weights[1] = 1
    }
    let rgb = sums / weights
    return (rgb[0], rgb[1], rgb[2])
  }

  /// Rows sum to 1: white stays white.
  private static func cameraToSRGB(_ xyzToCamera: [Double]?) -> [Float] {
    let identity: [Float] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    let sRGBToXYZ = [
      0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750, 0.0193339, 0.1191920,
      0.9503041,
    ]
    guard let xyzToCamera else { return identity }
    var forward = PreviewRenderer.product(xyzToCamera, sRGBToXYZ)
    for row in 0..<3 {
      let sum = forward[3 * row] + forward[3 * row + 1] + forward[3 * row + 2]
      for column in 0..<3 { forward[3 * row + column] /= sum }
    }
    let inverse = PreviewRenderer.inverse(forward)
    return inverse.allSatisfy(\.isFinite) ? inverse.map { Float($0) } : identity
  }

  private static func product(_ x: [Double], _ y: [Double]) -> [Double] {
    (0..<9).map { (at: Int) -> Double in
      let (row, column) = (at / 3 * 3, at % 3)
      return x[row] * y[column] + x[row + 1] * y[3 + column] + x[row + 2] * y[6 + column]
    }
  }

  /// By cofactors; not finite for a matrix that has no inverse.
  private static func inverse(_ m: [Double]) -> [Double] {
    func cofactor(_ row: Int, _ column: Int) -> Double {
      let (r, s) = ((row + 1) % 3, (row + 2) % 3)
      let (c, d) = ((column + 1) % 3, (column + 2) % 3)
      return m[3 * r + c] * m[3 * s + d] - m[3 * r + d] * m[3 * s + c]
    }
    let determinant: Double = m[0] * cofactor(0, 0) + m[1] * cofactor(0, 1) + m[2] * cofactor(0, 2)
    return (0..<9).map { cofactor($0 % 3, $0 / 3) / determinant }
  }

  private static let gamma: [UInt8] = (0..<4096).map { index in
    let linear = Double(index) / 4095
    let value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055
    return UInt8((255 * value).rounded())
  }
}
