import XCTest

@testable import RawDenoise

final class PreviewTests: XCTestCase {
  func testAFlatNeutralIsGrayInEveryPattern() throws {
    for cfa in BayerPattern.allCases {
      let frame = try flat(cfa, neutral: [0.5, 1, 0.25], level: 0.5)
      let picture = PreviewRenderer(of: frame).render(frame)
      XCTAssertEqual(picture.rows, frame.mosaic.rows)
      // sRGB of linear 0.5 is 188.
      for (index, value) in picture.pixels.enumerated() {
        if index % 4 == 3 {
          XCTAssertEqual(value, 255)
        } else {
          XCTAssertEqual(Int(value), 188, accuracy: 1)
        }
      }
    }
  }

  func testARampIsInterpolatedExactly() throws {
    // All colours follow one plane: away from the border, bilinear interpolation gives it back.
    let samples = (0..<16 * 16).map { (index: Int) -> UInt16 in
      let (row, column) = (index / 16, index % 16)
      return UInt16(100 + 4 * row + 8 * column)
    }
    let frame = try RawFrame(
      mosaic: Mosaic(rows: 16, columns: 16, samples: samples), cfa: .grbg,
      blackLevel: [0, 0, 0, 0], whiteLevel: 1023)
    let picture = PreviewRenderer(of: frame).render(frame)
    for row in 1..<15 {
      for column in 1..<15 {
        let at = 4 * (row * 16 + column)
        let rgb = picture.pixels[at..<at + 3].map { Int($0) }
        XCTAssertLessThanOrEqual(rgb.max()! - rgb.min()!, 1, "\(row), \(column)")
      }
    }
  }

  func testStepsMakeASmallerPicture() throws {
    let frame = try testFrame(rows: 31, columns: 64)
    let picture = PreviewRenderer(of: frame).render(frame, step: 4)
    XCTAssertEqual([picture.rows, picture.columns], [8, 16])
    XCTAssertEqual(picture.pixels.count, 4 * 8 * 16)
  }

  func testBrightnessLiftsDarkFramesOnly() throws {
    XCTAssertEqual(
      PreviewRenderer.brightness(for: try flat(.rggb, neutral: [1, 1, 1], level: 0.06)), 3,
      accuracy: 0.1)
    XCTAssertEqual(
      PreviewRenderer.brightness(for: try flat(.rggb, neutral: [1, 1, 1], level: 0.9)), 1)
    XCTAssertEqual(
      PreviewRenderer.brightness(for: try flat(.rggb, neutral: [1, 1, 1], level: 0)), 16)
  }

  func testAColourMatrixThatHasNoInverseIsLeftOut() throws {
    var frame = try flat(.rggb, neutral: [1, 1, 1], level: 0.5)
    let plain = PreviewRenderer(of: frame).render(frame)
    frame.colorMatrix = [Double](repeating: 1, count: 9)
    XCTAssertEqual(PreviewRenderer(of: frame).render(frame), plain)
  }

  func testAnImpossibleNeutralNeverCrashes() throws {
    for neutral in [1e-320, 1e-45, 1e300] {
      var frame = try flat(.rggb, neutral: [1, 1, 1], level: 0)
      frame.asShotNeutral = [neutral, 1, neutral]
      XCTAssertEqual(PreviewRenderer(of: frame).render(frame).rows, frame.mosaic.rows)
    }
  }

  private func flat(_ cfa: BayerPattern, neutral: [Double], level: Double) throws -> RawFrame {
    let cell = cfa.cellOrder([neutral[0], neutral[1], neutral[1], neutral[2]])
    let samples = (0..<21 * 24).map { (index: Int) -> UInt16 in
      let at = 2 * (index / 24 % 2) + index % 24 % 2
      return UInt16((64 + 959 * level * cell[at]).rounded())
    }
    return try RawFrame(
      mosaic: Mosaic(rows: 21, columns: 24, samples: samples), cfa: cfa,
      blackLevel: [64, 64, 64, 64], whiteLevel: 1023,
      colorMatrix: [0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.097, 0.1581, 0.5181],
      asShotNeutral: neutral)
  }
}
