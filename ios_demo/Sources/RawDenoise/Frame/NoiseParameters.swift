/// Variance a x + b of the signal x normalised to 0 (black) .. 1 (white).
public struct NoiseParameters: Equatable, Sendable {
  public let a: Double
  public let b: Double

  public init(a: Double, b: Double) {
    self.a = a
    self.b = b
  }
}

/// The k-sigma transform: z = scale x + offset takes noise (a, b) to the anchor's.
public struct KSigma: Equatable, Sendable {
  public let scale: Double
  public let offset: Double

  public init(scale: Double, offset: Double) {
    self.scale = scale
    self.offset = offset
  }

  public init(from noise: NoiseParameters, to anchor: NoiseParameters) {
    scale = anchor.a / noise.a
    offset = scale * (noise.b / noise.a) - anchor.b / anchor.a
  }

  public func forward(_ signal: Double) -> Double { signal * scale + offset }
  public func inverse(_ z: Double) -> Double { (z - offset) / scale }
}
