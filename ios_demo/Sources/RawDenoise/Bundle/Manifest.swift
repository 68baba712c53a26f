/// `manifest.json` of a bundle, schema 2; `docs/bundles.md` explains the fields.
public struct Manifest: Codable, Equatable, Sendable {
  public static let schema = 2

  public enum Target: String, Codable, Sendable { case executorch, onnx, coreml }
  public enum Precision: String, Codable, Sendable { case fp32, fp16, int8 }
  public enum SelectionBy: String, Codable, Sendable {
    case gain
    case noiseProfile = "noise-profile"
  }

  public let schemaVersion: Int
  public let name: String
  public let target: Target
  public let precision: Precision
  public let selector: SelectionBy
  /// The model first.
  public let files: [String]
  public let call: [String: String]
  public let inputs: [TensorSpec]
  public let outputs: [TensorSpec]
  public let sensor: SensorProfile
  public let edges: [Double]
  public let stride: Int
  public let halo: Int
  /// Rows, columns.
  public let tile: [Int]
  public let minSide: Int
  public let fixedShape: Bool
  public let network: NetworkFacts
  public let modelBytes: Int
  public let delegated: [String: Int]
  public let undelegated: [String: Int]
  public let plannedMemoryBytes: Int?
  public let tolerance: Tolerance
  public let golden: [GoldenVector]
  public let selection: [SelectionRow]
  public let toolVersions: [String: String]

  enum CodingKeys: String, CodingKey {
    case name, target, precision, selector, files, call, inputs, outputs, sensor, edges, stride
    case halo, tile, network, delegated, undelegated, tolerance, golden, selection
    case schemaVersion = "schema_version"
    case minSide = "min_side"
    case fixedShape = "fixed_shape"
    case modelBytes = "model_bytes"
    case plannedMemoryBytes = "planned_memory_bytes"
    case toolVersions = "tool_versions"
  }

  /// Rows and columns that a mosaic is mirrored to where it is smaller.
  public var minimum: (rows: Int, columns: Int) {
    fixedShape ? (tile[0], tile[1]) : (minSide, minSide)
  }

  /// Member of the array that serves the first scalar of a call: the gain, or a.
  public func member(forScalar value: Float) -> Int {
    let a = selector == .gain ? sensor.shotNoise(atGain: value) : value
    return MemberSelector.member(forShotNoise: a, edges: edges)
  }
}

/// One input or output; named sizes are null here and stand for multiples of the stride.
public struct TensorSpec: Codable, Equatable, Sendable {
  public let name: String
  public let dtype: String
  public let unit: String
}

public struct NetworkFacts: Codable, Equatable, Sendable {
  public let name: String
  public let members: Int
  public let parameters: Int
  public let gmacsPerMP: Double
  public let executedGMACsPerMP: Double

  enum CodingKeys: String, CodingKey {
    case name, members, parameters
    case gmacsPerMP = "gmacs_per_mp"
    case executedGMACsPerMP = "executed_gmacs_per_mp"
  }
}

/// How far golden outputs may be from the float reference.
public struct Tolerance: Codable, Equatable, Sendable {
  /// Of one sample; nil: not bounded, as for int8.
  public let maxAbsDN: Double?
  public let maxNoiseRatio: Double
  public let maxPSNRLossDB: Double

  enum CodingKeys: String, CodingKey {
    case maxAbsDN = "max_abs_dn"
    case maxNoiseRatio = "max_noise_ratio"
    case maxPSNRLossDB = "max_psnr_loss_db"
  }
}

/// One input with the float reference's output and the truth, as headerless little-endian files.
public struct GoldenVector: Codable, Equatable, Sendable {
  public let name: String
  public let height: Int
  public let width: Int
  public let gain: Double?
  public let a: Double
  public let b: Double
  public let member: Int
  public let raw: String
  public let reference: String
  public let truth: String
}

/// (gain or a, member), written as a JSON array of two.
public struct SelectionRow: Codable, Equatable, Sendable {
  public let value: Double
  public let member: Int

  public init(from decoder: any Decoder) throws {
    var row = try decoder.unkeyedContainer()
    value = try row.decode(Double.self)
    member = try row.decode(Int.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var row = encoder.unkeyedContainer()
    try row.encode(value)
    try row.encode(member)
  }
}
