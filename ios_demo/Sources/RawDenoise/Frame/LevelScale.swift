/// DN of a frame to DN of the bundle's sensor and back, in the float32 steps of the toolkit.
///
/// Where the levels are the sensor's own, samples pass as they are. Otherwise the normalised signal
/// is kept: the frame must then be given the gain (or noise) that fits that signal.
public struct LevelScale: Sendable {
  private let frameBlack: [Float]
  private let frameSpan: [Float]
  private let frameWhite: Float
  private let sensorBlack: [Float]
  private let sensorSpan: [Float]
  public let isIdentity: Bool

  public init(frame: RawFrame, sensor: SensorProfile) {
    self.init(
      cfa: frame.cfa, frameBlack: frame.blackLevel, frameWhite: frame.whiteLevel,
      sensorBlack: sensor.blackLevel, sensorWhite: sensor.whiteLevel)
  }

  /// Black levels in R, Gr, Gb, B order.
  public init(
    cfa: BayerPattern, frameBlack: [Double], frameWhite: Double, sensorBlack: [Double],
    sensorWhite: Double
  ) {
    let ownBlack = cfa.cellOrder(frameBlack)
    self.frameBlack = ownBlack.map { Float($0) }
    frameSpan = ownBlack.map { Float(frameWhite - $0) }
    self.frameWhite = Float(frameWhite)
    self.sensorBlack = cfa.cellOrder(sensorBlack).map { Float($0) }
    sensorSpan = self.sensorBlack.map { Float(sensorWhite) - $0 }
    isIdentity = frameBlack == sensorBlack && frameWhite == sensorWhite
  }

  /// 0 at black, 1 at white, clipped above; noise below black stays negative.
  public func normalized(_ sample: UInt16, row: Int, column: Int) -> Float {
    let cell = 2 * (row % 2) + column % 2
    return min((Float(sample) - frameBlack[cell]) / frameSpan[cell], 1)
  }

  public func toSensor(_ sample: UInt16, row: Int, column: Int) -> Float {
    if isIdentity { return Float(sample) }
    let cell = 2 * (row % 2) + column % 2
    // Product and sum are rounded one by one, as NumPy does it.
    let product = normalized(sample, row: row, column: column) * sensorSpan[cell]
    return product + sensorBlack[cell]
  }

  /// Rounded half to even and clipped to what the frame can hold; `value` is finite.
  public func toFrame(_ value: Float, row: Int, column: Int) -> UInt16 {
    var result = value
    if !isIdentity {
      let cell = 2 * (row % 2) + column % 2
      let product = (value - sensorBlack[cell]) / sensorSpan[cell] * frameSpan[cell]
      result = product + frameBlack[cell]
    }
    return UInt16(DN.whole(result, white: frameWhite))
  }
}
