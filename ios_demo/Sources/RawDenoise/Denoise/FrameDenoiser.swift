/// Denoises frames of any size and Bayer pattern through an engine, tile by tile.
///
/// Memory does not grow with the frame but for the result: one tile in, one tile out.
public final class FrameDenoiser {
  public let manifest: Manifest
  private let engine: any Engine
  private var buffer: [Float] = []

  public init(manifest: Manifest, engine: any Engine) {
    self.manifest = manifest
    self.engine = engine
  }

  /// - Parameters:
  ///   - gain: in place of the one from the frame's ISO.
  ///   - noise: in place of the frame's, for bundles that select by noise profile.
  ///   - progress: called with tiles done and tiles in all.
  ///   - checkCancelled: throws where the work is to stop; called before each tile.
  /// - Returns: the frame with new samples; the one given stays as it is, whatever happens.
  /// - Throws: `DenoiseError`, what `checkCancelled` throws, or what the engine throws.
  public func denoise(
    _ frame: RawFrame, gain: Float? = nil, noise: NoiseParameters? = nil,
    progress: (Int, Int) -> Void = { _, _ in }, checkCancelled: () throws -> Void = {}
  ) throws -> RawFrame {
    let scalars = try scalars(for: frame, gain: gain, noise: noise)
    let mosaic = frame.mosaic
    let geometry = MirroredFrame(
      rows: mosaic.rows, columns: mosaic.columns, cfa: frame.cfa, multiple: manifest.stride,
      minimum: manifest.minimum)
    let plan = try TilePlan.frame(
      rows: geometry.paddedRows, columns: geometry.paddedColumns,
      tile: (manifest.tile[0], manifest.tile[1]), halo: manifest.halo, stride: manifest.stride)
    let scale = LevelScale(frame: frame, sensor: manifest.sensor)
    var result = frame
    result.noise = nil
    for (index, tile) in plan.enumerated() {
      try checkCancelled()
      geometry.read(tile, of: mosaic, scale: scale, into: &buffer)
      let denoised = try run(tile, scalars: scalars)
      try geometry.keep(tile, denoised, scale: scale, in: &result.mosaic)
      progress(index + 1, plan.count)
    }
    return result
  }

  /// The model alone on samples of one call, as golden vectors are replayed: floats, no rounding.
  public func denoiseExactly(_ raw: Mosaic<UInt16>, scalars: [Float]) throws -> Mosaic<Float> {
    let (padded, top, left) = raw.paddedToPhase(
      .rggb, multiple: manifest.stride, minimum: manifest.minimum)
    guard padded.rows <= manifest.tile[0], padded.columns <= manifest.tile[1] else {
      throw DenoiseError(
        "\(raw.rows) x \(raw.columns) samples were given; allowed is what fits into one tile of "
          + "\(manifest.tile[0]) x \(manifest.tile[1]); export the bundle again")
    }
    let samples = padded.samples.map { Float($0) }
    let denoised = try checkedRun(
      samples, rows: padded.rows, columns: padded.columns, scalars: scalars)
    let kept = (top..<top + raw.rows).flatMap { row in
      denoised[row * padded.columns + left..<row * padded.columns + left + raw.columns]
    }
    return try Mosaic(rows: raw.rows, columns: raw.columns, samples: kept)
  }

  private func run(_ tile: Tile, scalars: [Float]) throws -> [Float] {
    try checkedRun(buffer, rows: tile.rows.size, columns: tile.columns.size, scalars: scalars)
  }

  private func checkedRun(_ raw: [Float], rows: Int, columns: Int, scalars: [Float]) throws
    -> [Float]
  {
    let result = try engine.run(raw, rows: rows, columns: columns, scalars: scalars)
    guard result.count == raw.count else {
      throw DenoiseError(
        "the model gave \(result.count) samples for \(rows) x \(columns); "
          + "the bundle and its model do not fit: export it again")
    }
    return result
  }

  /// What the model is called with beside the mosaic: the gain, or a and b.
  func scalars(for frame: RawFrame, gain: Float?, noise: NoiseParameters?) throws
    -> [Float]
  {
    switch manifest.selector {
    case .gain:
      let value = try gain ?? frame.gain(for: manifest.sensor)
      guard value.isFinite, value > 0 else {
        throw DenoiseError(
          "gain \(value) was given; allowed are finite numbers above 0, 1 being the base gain; "
            + "set the gain by hand")
      }
      return [value]
    case .noiseProfile:
      let pair = try noise ?? profileNoise(of: frame, gain: gain)
      guard pair.a.isFinite, pair.b.isFinite, pair.a > 0, pair.b >= 0 else {
        throw DenoiseError(
          "noise (\(pair.a), \(pair.b)) was given; allowed are a > 0 and b >= 0; "
            + "take the capture again")
      }
      return [Float(pair.a), Float(pair.b)]
    }
  }

  private func profileNoise(of frame: RawFrame, gain: Float?) throws -> NoiseParameters {
    if let gain { return manifest.sensor.noise(atGain: Double(gain)) }
    if let noise = frame.noise { return noise }
    return manifest.sensor.noise(atGain: Double(try frame.gain(for: manifest.sensor)))
  }
}
