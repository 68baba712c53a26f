import Foundation

/// What must be known of a sensor; `fa_mobile/sensor.py` in Swift.
public struct SensorProfile: Codable, Equatable, Sendable {
  public static let schema = 1

  public let schemaVersion: Int
  public let name: String
  public let make: String
  public let model: String
  public let cfa: BayerPattern
  public let bitDepth: Int
  /// DN in R, Gr, Gb, B order.
  public let blackLevel: [Double]
  public let whiteLevel: Double
  /// ISO speed at gain 1.
  public let baseISO: Double
  public let gainRange: [Double]
  /// (a1, a0): a(gain) = a1 gain + a0.
  public let aLinear: [Double]
  /// (b2, b1, b0): b(gain) = b2 gain^2 + b1 gain + b0.
  public let bQuadratic: [Double]
  /// (slope, intercept) of ln b over ln a.
  public let logLine: [Double]
  public let provenance: String
  public let source: String
  public let colorMatrix: [Double]
  public let asShotNeutral: [Double]

  enum CodingKeys: String, CodingKey {
    case name, make, model, cfa, provenance, source
    case schemaVersion = "schema_version"
    case bitDepth = "bit_depth"
    case blackLevel = "black_level"
    case whiteLevel = "white_level"
    case baseISO = "base_iso"
    case gainRange = "gain_range"
    case aLinear = "a_linear"
    case bQuadratic = "b_quadratic"
    case logLine = "log_line"
    case colorMatrix = "color_matrix"
    case asShotNeutral = "as_shot_neutral"
  }

  /// (a, b) at a gain, in double precision.
  public func noise(atGain gain: Double) -> NoiseParameters {
    let b = (bQuadratic[0] * gain + bQuadratic[1]) * gain + bQuadratic[2]
    return NoiseParameters(a: aLinear[0] * gain + aLinear[1], b: b)
  }

  /// a(gain) in the very float32 steps of the exported graph; selection depends on it.
  public func shotNoise(atGain gain: Float) -> Float {
    // Two statements: the product is to be rounded before the sum, never fused with it.
    let product = Float(aLinear[0]) * gain
    return product + Float(aLinear[1])
  }

  /// What is wrong with the profile, one phrase each.
  var problems: [String] {
    var found: [String] = []
    func expect(_ holds: Bool, _ problem: String) {
      if !holds { found.append(problem) }
    }
    expect(
      schemaVersion == Self.schema, "sensor.schema_version \(schemaVersion) is not \(Self.schema)")
    expect(blackLevel.count == 4, "sensor.black_level has \(blackLevel.count) values, not 4")
    expect(
      blackLevel.allSatisfy { $0 >= 0 && $0 < whiteLevel },
      "sensor.black_level \(blackLevel) is not within 0..<\(whiteLevel)")
    expect((8...16).contains(bitDepth), "sensor.bit_depth \(bitDepth) is not 8..16")
    expect(
      whiteLevel <= exp2(Double(bitDepth)) - 1,
      "sensor.white_level \(whiteLevel) does not fit in \(bitDepth) bits")
    expect(baseISO > 0, "sensor.base_iso \(baseISO) is not above 0")
    expect(
      gainRange.count == 2 && gainRange[0] > 0 && gainRange[0] < gainRange[1],
      "sensor.gain_range \(gainRange) does not rise from above 0")
    expect(aLinear.count == 2, "sensor.a_linear has \(aLinear.count) values, not 2")
    expect(bQuadratic.count == 3, "sensor.b_quadratic has \(bQuadratic.count) values, not 3")
    expect(colorMatrix.count == 9, "sensor.color_matrix has \(colorMatrix.count) values, not 9")
    expect(
      asShotNeutral.count == 3 && asShotNeutral.allSatisfy { $0 > 0 },
      "sensor.as_shot_neutral \(asShotNeutral) is not three numbers above 0")
    return found
  }
}
