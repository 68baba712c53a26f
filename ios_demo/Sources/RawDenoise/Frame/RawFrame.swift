/// One exposure as the sensor reported it.
public struct RawFrame: Equatable, Sendable {
  public var mosaic: Mosaic<UInt16>
  /// The pattern at the origin of `mosaic`.
  public let cfa: BayerPattern
  /// DN of black in R, Gr, Gb, B order.
  public let blackLevel: [Double]
  /// DN of saturation.
  public let whiteLevel: Double
  public var iso: Double?
  /// Noise of the normalised signal, one pair for all colours.
  public var noise: NoiseParameters?
  public var make: String
  public var model: String
  /// XYZ (D65) to camera RGB, row-major: DNG's ColorMatrix1.
  public var colorMatrix: [Double]?
  /// Camera RGB of a neutral in this light.
  public var asShotNeutral: [Double]?

  /// - Throws: `DenoiseError` for levels that no sensor has.
  public init(
    mosaic: Mosaic<UInt16>, cfa: BayerPattern, blackLevel: [Double], whiteLevel: Double,
    iso: Double? = nil, noise: NoiseParameters? = nil, make: String = "", model: String = "",
    colorMatrix: [Double]? = nil, asShotNeutral: [Double]? = nil
  ) throws {
    let fits = blackLevel.allSatisfy { $0 >= 0 && $0 < whiteLevel }
    guard blackLevel.count == 4, fits, whiteLevel <= 65535 else {
      throw DenoiseError(
        "black levels \(blackLevel) and white level \(whiteLevel) were given; allowed are four "
          + "black levels with 0 <= black < white <= 65535; give the levels of the sensor")
    }
    self.mosaic = mosaic
    self.cfa = cfa
    self.blackLevel = blackLevel
    self.whiteLevel = whiteLevel
    self.iso = iso
    self.noise = noise
    self.make = make
    self.model = model
    self.colorMatrix = colorMatrix
    self.asShotNeutral = asShotNeutral
  }

  /// In 10^6 mosaic samples.
  public var megapixels: Double { Double(mosaic.rows * mosaic.columns) / 1e6 }

  /// The gain that the frame was taken at.
  ///
  /// - Throws: `DenoiseError` when the frame does not say its ISO.
  public func gain(for profile: SensorProfile) throws -> Float {
    guard let iso, iso > 0, iso.isFinite else {
      throw DenoiseError(
        "the capture does not say its ISO, from which profile \(profile.name) "
          + "(ISO \(profile.baseISO) at gain 1) derives the gain; set the gain by hand")
    }
    return Float(iso / profile.baseISO)
  }
}
