import Foundation

/// `golden/table.json`: what every implementation must compute around the model, exactly.
///
/// `docs/bundles.md` explains the rows. Python, Kotlin and Swift replay the same file.
public struct GoldenTable: Decodable, Sendable {
  public static let schema = 1
  public static let file = "golden/table.json"

  public let bundle: String
  public let selector: Manifest.SelectionBy
  public let selection: [Selection]
  public let noise: [Noise]
  public let kSigma: [Sigma]
  public let packing: [Packing]
  public let tiling: [Tiling]
  public let dn: [Whole]
  /// Names of the manifest's golden vectors.
  public let vectors: [String]

  enum CodingKeys: String, CodingKey {
    case bundle, selector, selection, noise, packing, tiling, dn, vectors
    case kSigma = "k_sigma"
  }

  public struct Selection: Decodable, Sendable {
    public let value: Double
    public let a: Double
    public let member: Int
  }

  public struct Noise: Decodable, Sendable {
    public let gain: Double
    public let aFloat32: Double
    public let a: Double
    public let b: Double

    enum CodingKeys: String, CodingKey {
      case gain, a, b
      case aFloat32 = "a_float32"
    }
  }

  public struct Sigma: Decodable, Sendable {
    public let x: Double
    public let a: Double
    public let b: Double
    public let anchorA: Double
    public let anchorB: Double
    public let scale: Double
    public let offset: Double
    public let z: Double
    public let back: Double

    enum CodingKeys: String, CodingKey {
      case x, a, b, scale, offset, z, back
      case anchorA = "anchor_a"
      case anchorB = "anchor_b"
    }
  }

  public struct Packing: Decodable, Sendable {
    public let cfa: BayerPattern
    public let multiple: Int
    public let minimum: [Int]
    public let mosaic: [[Int]]
    public let origin: [Int]
    public let padded: [[Int]]
    public let packed: [[[Int]]]
  }

  public struct Tiling: Decodable, Sendable {
    public let height: Int
    public let width: Int
    public let cfa: BayerPattern
    public let stride: Int
    public let halo: Int
    public let tile: [Int]
    public let minimum: [Int]
    public let padded: [Int]
    public let origin: [Int]
    /// Top, bottom, left, right of each tile; ends excluded.
    public let read: [[Int]]
    public let write: [[Int]]
  }

  public struct Whole: Decodable, Sendable {
    public let value: Double
    public let white: Double
    public let dn: Int
  }

  /// - Throws: `DenoiseError` when the bundle has no table, or one of another schema.
  public static func read(from bundle: ModelBundle) throws -> GoldenTable {
    let name = bundle.folder.lastPathComponent
    guard let data = try? Data(contentsOf: bundle.url(of: file)) else {
      throw DenoiseError(
        "bundle \(name) has no \(file): an earlier fa-mobile exported it; export it again")
    }
    try requireVersion(schema, of: data, source: "\(file) of \(name)")
    let table = try decode(GoldenTable.self, from: data, source: "\(file) of \(name)")
    guard table.isBounded else {
      throw DenoiseError("\(file) of \(name) holds an impossible size; export the bundle again")
    }
    return table
  }

  /// Sizes that buffers can be made from and divided by: a table is not to be trusted.
  private var isBounded: Bool {
    let (sides, small) = (2...32768, 2...64)
    return packing.allSatisfy { row in
      row.minimum.count == 2 && row.minimum.allSatisfy(small.contains)
        && small.contains(row.multiple) && row.multiple % 2 == 0
        && Set(row.mosaic.map(\.count)).count == 1
    }
      && tiling.allSatisfy { row in
        row.tile.count == 2 && row.minimum.count == 2 && small.contains(row.stride)
          && row.stride % 2 == 0 && (0...32768).contains(row.halo)
          && (row.tile + row.minimum + [row.height, row.width]).allSatisfy(sides.contains)
      }
      && dn.allSatisfy { (0...65535).contains($0.white) }
  }
}
