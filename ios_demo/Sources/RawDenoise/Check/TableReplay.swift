/// Computes every row of a golden table anew and compares, without tolerance.
public struct TableReplay {
  public let table: GoldenTable
  public let manifest: Manifest

  public init(table: GoldenTable, manifest: Manifest) {
    self.table = table
    self.manifest = manifest
  }

  /// What this implementation answers differently, one phrase each; empty when all agrees.
  public func problems() -> [String] {
    var found = belongingProblems()
    found += check("selection", table.selection, selects)
    found += check("noise", table.noise, isNoise)
    found += check("k_sigma", table.kSigma, transforms)
    found += check("packing", table.packing, packs)
    found += check("tiling", table.tiling, tiles)
    found += check("dn", table.dn) { DN.whole(Float($0.value), white: Float($0.white)) == $0.dn }
    return found
  }

  /// Rows in all, for the self-test screen.
  public var rows: Int {
    table.selection.count + table.noise.count + table.kSigma.count + table.packing.count
      + table.tiling.count + table.dn.count
  }

  private func belongingProblems() -> [String] {
    guard table.bundle == manifest.name, table.selector == manifest.selector else {
      return ["the table belongs to \(table.bundle), not to \(manifest.name)"]
    }
    var found: [String] = []
    if table.vectors != manifest.golden.map(\.name) {
      found.append("the table's vectors are not the manifest's")
    }
    let rows = manifest.selection
    let same =
      rows.count == table.selection.count
      && zip(rows, table.selection).allSatisfy { $0.value == $1.value && $0.member == $1.member }
    if !same { found.append("the table's selection is not the manifest's") }
    return found
  }

  private func check<Row>(
    _ section: String, _ rows: [Row], _ agrees: (Row) throws -> Bool
  ) -> [String] {
    if rows.isEmpty { return ["\(section) is empty"] }
    return rows.enumerated().compactMap { index, row in
      do {
        return try agrees(row) ? nil : "\(section)[\(index)] differs"
      } catch {
        return "\(section)[\(index)]: \(error)"
      }
    }
  }

  private func selects(_ row: GoldenTable.Selection) -> Bool {
    let value = Float(row.value)
    let a = manifest.selector == .gain ? manifest.sensor.shotNoise(atGain: value) : value
    return Double(a) == row.a
      && MemberSelector.member(forShotNoise: a, edges: manifest.edges) == row.member
  }

  private func isNoise(_ row: GoldenTable.Noise) -> Bool {
    let single = manifest.sensor.shotNoise(atGain: Float(row.gain))
    return Double(single) == row.aFloat32
      && manifest.sensor.noise(atGain: row.gain) == NoiseParameters(a: row.a, b: row.b)
  }

  private func transforms(_ row: GoldenTable.Sigma) -> Bool {
    let step = KSigma(
      from: NoiseParameters(a: row.a, b: row.b),
      to: NoiseParameters(a: row.anchorA, b: row.anchorB))
    let z = step.forward(row.x)
    return step == KSigma(scale: row.scale, offset: row.offset) && z == row.z
      && step.inverse(z) == row.back
  }

  private func packs(_ row: GoldenTable.Packing) throws -> Bool {
    let mosaic = try Mosaic(
      rows: row.mosaic.count, columns: row.mosaic.first?.count ?? 0,
      samples: row.mosaic.flatMap { $0 })
    let (padded, top, left) = mosaic.paddedToPhase(
      row.cfa, multiple: row.multiple, minimum: (row.minimum[0], row.minimum[1]))
    let columns = row.padded.first?.count ?? 0
    let planes = try padded.packed()
    return row.origin == [top, left] && padded.rows == row.padded.count
      && padded.columns == columns && padded.samples == row.padded.flatMap { $0 }
      && planes == row.packed.map { $0.flatMap { $0 } }
  }

  private func tiles(_ row: GoldenTable.Tiling) throws -> Bool {
    let frame = MirroredFrame(
      rows: row.height, columns: row.width, cfa: row.cfa, multiple: row.stride,
      minimum: (row.minimum[0], row.minimum[1]))
    let plan = try TilePlan.frame(
      rows: frame.paddedRows, columns: frame.paddedColumns, tile: (row.tile[0], row.tile[1]),
      halo: row.halo, stride: row.stride)
    let read = plan.map { [$0.rows.start, $0.rows.stop, $0.columns.start, $0.columns.stop] }
    let write = plan.map { tile in
      let part = frame.written(tile)
      return [
        part.rows.lowerBound, part.rows.upperBound, part.columns.lowerBound,
        part.columns.upperBound,
      ]
    }
    return row.padded == [frame.paddedRows, frame.paddedColumns]
      && row.origin == [frame.top, frame.left] && read == row.read && write == row.write
  }
}
