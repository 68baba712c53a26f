/// One tile along one axis: reads `start..<stop`, keeps `keepStart..<keepStop`.
public struct TileSpan: Equatable, Sendable {
  public let start: Int
  public let stop: Int
  public let keepStart: Int
  public let keepStop: Int

  public init(start: Int, stop: Int, keepStart: Int, keepStop: Int) {
    self.start = start
    self.stop = stop
    self.keepStart = keepStart
    self.keepStop = keepStop
  }

  public var size: Int { stop - start }
}

public struct Tile: Equatable, Sendable {
  public let rows: TileSpan
  public let columns: TileSpan
}

/// Tiles with a halo: a frame of any size through a network of bounded input, without seams.
///
/// Tiles at the border end at the border, so the network's own padding acts where it would on the
/// whole frame. Inside, a sample is kept only where it is at least the halo away from the tile's
/// inner edges: all that it depends on was in the tile.
public enum TilePlan {
  /// - Parameters:
  ///   - length: a multiple of `stride`.
  ///   - tile: a multiple of `stride`, more than twice the halo where the axis is longer than it.
  ///   - halo: twice of it is a multiple of `stride`, so that tiles start on multiples of it.
  /// - Throws: `DenoiseError` for arguments that are not so.
  public static func axis(length: Int, tile: Int, halo: Int, stride: Int) throws -> [TileSpan] {
    guard stride > 0, tile > 0, length > 0, halo >= 0, length % stride == 0, tile % stride == 0,
      2 * halo % stride == 0
    else {
      throw DenoiseError(
        "length \(length), tile \(tile) and halo \(halo) were given; length, tile and twice the "
          + "halo must be multiples of the stride \(stride); export the bundle again")
    }
    if length <= tile {
      return [TileSpan(start: 0, stop: length, keepStart: 0, keepStop: length)]
    }
    let step = tile - 2 * halo
    guard step > 0 else {
      throw DenoiseError(
        "tile \(tile) was given; it must be more than twice the halo of \(halo); "
          + "export the bundle with a larger tile")
    }
    let starts =
      Array(Swift.stride(from: 0, to: length - tile, by: step)) + [length - tile]
    let cuts = [0] + starts.dropFirst().map { $0 + halo } + [length]
    return starts.indices.map { index in
      TileSpan(
        start: starts[index], stop: starts[index] + tile, keepStart: cuts[index],
        keepStop: cuts[index + 1])
    }
  }

  /// Tiles in row-major order.
  public static func frame(
    rows: Int, columns: Int, tile: (rows: Int, columns: Int), halo: Int, stride: Int
  ) throws -> [Tile] {
    let down = try axis(length: rows, tile: tile.rows, halo: halo, stride: stride)
    let across = try axis(length: columns, tile: tile.columns, halo: halo, stride: stride)
    return down.flatMap { row in across.map { Tile(rows: row, columns: $0) } }
  }
}
