import Foundation

extension Manifest {
  /// - Parameter source: named in errors.
  /// - Throws: `DenoiseError` for wrong JSON, another schema version, wrong or contradictory fields.
  public static func parse(_ data: Data, source: String) throws -> Manifest {
    try requireVersion(schema, of: data, source: source)
    let manifest = try decode(Manifest.self, from: data, source: source)
    let problems = manifest.problems
    guard problems.isEmpty else {
      throw DenoiseError(
        "\(source): \(problems.joined(separator: "; ")); export the bundle again")
    }
    return manifest
  }

  /// What contradicts itself, one phrase each. All are told at once.
  var problems: [String] {
    let wanted = selector == .gain ? ["raw", "gain"] : ["raw", "a", "b"]
    var found = geometryProblems + sensor.problems
    if inputs.map(\.name) != wanted {
      found.append("inputs \(inputs.map(\.name)) are not \(wanted)")
    }
    if outputs.map(\.name) != ["denoised"] {
      found.append("outputs \(outputs.map(\.name)) are not denoised")
    }
    if files.isEmpty { found.append("files names no model") }
    let paths = files + golden.flatMap { [$0.raw, $0.reference, $0.truth] }
    found += paths.filter { !isRelativeName($0) }.map { "'\($0)' is no path below the bundle" }
    if edges != edges.sorted() || network.members != edges.count + 1 {
      found.append("\(edges.count) edges do not part \(network.members) members")
    }
    let members = golden.map(\.member) + selection.map(\.member)
    if members.contains(where: { $0 < 0 || $0 >= network.members }) {
      found.append("a golden member is not within 0..<\(network.members)")
    }
    return found
  }

  private var geometryProblems: [String] {
    // Sizes are bounded because buffers are made from them: a manifest is not to be trusted.
    let sides = 2...65536
    guard tile.count == 2, tile.allSatisfy(sides.contains), sides.contains(stride),
      sides.contains(minSide), (0...65536).contains(halo)
    else {
      return ["tile \(tile), stride \(stride), min_side \(minSide) or halo \(halo) is no geometry"]
    }
    var found: [String] = []
    if stride % 2 != 0 || tile.contains(where: { $0 % stride != 0 || $0 <= 2 * halo }) {
      found.append("tile \(tile) is not of multiples of stride \(stride) above twice halo \(halo)")
    }
    if 2 * halo % stride != 0 { found.append("halo \(halo) does not fit stride \(stride)") }
    let large = golden.contains { !sides.contains($0.height) || !sides.contains($0.width) }
    if large { found.append("a golden vector has an impossible size") }
    return found
  }
}

private struct Versioned: Decodable {
  let schemaVersion: Int

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
  }
}

/// The version is read first: of another schema no other field can be trusted.
func requireVersion(_ version: Int, of data: Data, source: String) throws {
  let given = try decode(Versioned.self, from: data, source: source).schemaVersion
  guard given == version else {
    throw DenoiseError(
      "\(source) has schema version \(given); this app reads \(version): export the bundle again "
        + "with the fa-mobile that the app came with")
  }
}

func decode<Value: Decodable>(_ type: Value.Type, from data: Data, source: String) throws -> Value {
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch let error as DecodingError {
    throw DenoiseError("\(source): \(describe(error)); export the bundle again")
  }
}

/// The field and what is wrong with it, in one line.
private func describe(_ error: DecodingError) -> String {
  func place(_ context: DecodingError.Context, _ last: String? = nil) -> String {
    let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    return (path + [last].compactMap { $0 }).joined(separator: ".")
  }
  switch error {
  case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
  case .typeMismatch(let type, let context): return "\(place(context)) is not a \(type)"
  case .valueNotFound(let type, let context): return "\(place(context)) is null, not a \(type)"
  case .dataCorrupted(let context):
    return context.codingPath.isEmpty ? "is not JSON" : "\(place(context)) has a wrong value"
  @unknown default: return "cannot be read"
  }
}

/// A path below the bundle: parts of letters, digits, '_', '-' and inner dots.
func isRelativeName(_ name: String) -> Bool {
  guard !name.isEmpty, name.utf8.count <= 200 else { return false }
  return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
    part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
      !word.isEmpty
        && word.utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
          default: false
          }
        }
    }
  }
}
