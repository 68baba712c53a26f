import Foundation

/// `SHA256SUMS` of a bundle.
public enum Checksums {
  public static let file = "SHA256SUMS"

  /// Compare every file below `folder` with the list.
  ///
  /// - Throws: `DenoiseError` naming the files that are missing, changed or not listed.
  public static func verify(_ folder: URL) throws {
    let listed = try read(folder)
    let present = try Set(names(in: folder)).subtracting([file])
    var problems = Set(listed.keys).subtracting(present).sorted().map { "\($0) is missing" }
    problems += present.subtracting(listed.keys).sorted().map { "\($0) is not listed" }
    for name in present.sorted() {
      guard let wanted = listed[name] else { continue }
      if try FileDigest.sha256(of: folder.appendingPathComponent(name)) != wanted {
        problems.append("\(name) has another hash")
      }
    }
    guard problems.isEmpty else {
      throw DenoiseError(
        "bundle \(folder.lastPathComponent) is damaged: \(problems.joined(separator: "; ")); "
          + "copy or export it again")
    }
  }

  /// Size of all files, the sums included.
  public static func totalBytes(of folder: URL) throws -> Int {
    try names(in: folder).reduce(0) { sum, name in
      let place = folder.appendingPathComponent(name).path
      let size = try FileManager.default.attributesOfItem(atPath: place)[.size] as? NSNumber
      return sum + (size?.intValue ?? 0)
    }
  }

  private static func read(_ folder: URL) throws -> [String: String] {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent(file)) else {
      throw DenoiseError("bundle \(folder.lastPathComponent) has no \(file); export it again")
    }
    var listed: [String: String] = [:]
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      // As `sha256sum` writes it: 64 digits, two blanks, the name.
      let name = String(line.dropFirst(66))
      guard line.dropFirst(64).hasPrefix("  "), isRelativeName(name) else {
        throw DenoiseError(
          "\(file) of bundle \(folder.lastPathComponent) has the line '\(line.prefix(80))', which "
            + "is no hash and name; export the bundle again")
      }
      listed[name] = String(line.prefix(64))
    }
    return listed
  }

  /// All files below a folder, links and hidden ones included: nothing may hide from the list.
  private static func names(in folder: URL) throws -> [String] {
    let manager = FileManager.default
    return try manager.subpathsOfDirectory(atPath: folder.path).filter { name in
      var isFolder: ObjCBool = false
      let place = folder.appendingPathComponent(name).path
      return !(manager.fileExists(atPath: place, isDirectory: &isFolder) && isFolder.boolValue)
    }
  }
}
