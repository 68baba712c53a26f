import XCTest

@testable import RawDenoise

final class TilingTests: XCTestCase {
  func testA13MegapixelPlanCoversEverySampleOnce() throws {
    let (rows, columns) = (3120, 4208)
    let manifest = try testBundle().manifest
    for cfa in BayerPattern.allCases {
      let frame = MirroredFrame(
        rows: rows, columns: columns, cfa: cfa, multiple: manifest.stride,
        minimum: manifest.minimum)
      let plan = try TilePlan.frame(
        rows: frame.paddedRows, columns: frame.paddedColumns,
        tile: (manifest.tile[0], manifest.tile[1]), halo: manifest.halo, stride: manifest.stride)
      var covered = [UInt8](repeating: 0, count: rows * columns)
      for tile in plan {
        let part = frame.written(tile)
        for row in part.rows {
          for column in part.columns { covered[row * columns + column] += 1 }
        }
      }
      XCTAssertTrue(covered.allSatisfy { $0 == 1 }, "\(cfa)")
    }
  }

  func testKeptSamplesAreAHaloFromInnerEdges() throws {
    let spans = try TilePlan.axis(length: 4208, tile: 512, halo: 48, stride: 16)
    for span in spans {
      XCTAssertEqual(span.start % 16, 0)
      if span.start > 0 { XCTAssertGreaterThanOrEqual(span.keepStart - span.start, 48) }
      if span.stop < 4208 { XCTAssertGreaterThanOrEqual(span.stop - span.keepStop, 48) }
    }
  }

  func testImpossibleGeometryIsAMessage() {
    for (length, tile, halo, stride) in [(100, 64, 16, 16), (256, 96, 48, 16), (64, 64, 3, 0)] {
      let said = message {
        _ = try TilePlan.axis(length: length, tile: tile, halo: halo, stride: stride)
      }
      XCTAssertTrue(said.contains("export"), said)
    }
  }

  func testATiledPassThroughEqualsTheFrame() throws {
    let manifest = try testBundle().manifest
    for cfa in BayerPattern.allCases {
      for (rows, columns) in [(1201, 1603), (2, 2), (37, 1001)] {
        let frame = try testFrame(rows: rows, columns: columns, cfa: cfa)
        let denoiser = FrameDenoiser(manifest: manifest, engine: FakeEngine())
        XCTAssertEqual(try denoiser.denoise(frame), frame, "\(cfa) \(rows) x \(columns)")
      }
    }
  }

  /// A stand-in with the halo's reach: the mean of the sample's colour around it, zeros outside.
  func testTiledEqualsWholeForAFilterAsWideAsTheHalo() throws {
    let manifest = try testBundle().manifest
    let reach = manifest.halo
    let frame = try testFrame(rows: 16 * 70, columns: 16 * 43, cfa: .bggr)
    let filter: FakeEngine.Change = { raw, rows, columns, _ in
      spread(spread(raw, rows, columns, reach, across: true), rows, columns, reach, across: false)
    }
    let tiled = try FrameDenoiser(manifest: manifest, engine: FakeEngine(filter)).denoise(frame)
    let padded = frame.mosaic.paddedToPhase(
      frame.cfa, multiple: manifest.stride, minimum: manifest.minimum)
    let whole = try filter(
      padded.mosaic.samples.map { Float($0) }, padded.mosaic.rows, padded.mosaic.columns, [])
    for row in 0..<frame.mosaic.rows {
      for column in 0..<frame.mosaic.columns {
        let value = whole[(row + padded.top) * padded.mosaic.columns + column + padded.left]
        XCTAssertEqual(Int(tiled.mosaic[row, column]), DN.whole(value, white: 1023))
      }
    }
  }
}

/// A sample plus those `reach` away on both sides along one axis: exact in float, so that tiles and
/// whole can be compared without tolerance.
private func spread(_ raw: [Float], _ rows: Int, _ columns: Int, _ reach: Int, across: Bool)
  -> [Float]
{
  var result = raw
  for row in 0..<rows {
    for column in 0..<columns {
      let (at, length) = across ? (column, columns) : (row, rows)
      let step = across ? 1 : columns
      let index = row * columns + column
      var sum = raw[index] * 2
      if at >= reach { sum += raw[index - reach * step] }
      if at + reach < length { sum += raw[index + reach * step] }
      result[index] = sum / 4
    }
  }
  return result
}
