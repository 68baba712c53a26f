import XCTest

@testable import RawDenoise

final class FileTests: XCTestCase {
  private var folder: URL!

  override func setUpWithError() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("raw-denoise-files-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  override func tearDownWithError() throws {
    try FileManager.default.removeItem(at: folder)
  }

  func testAFileIsReplacedWhole() throws {
    let place = folder.appendingPathComponent("capture.dng")
    try SafeFile.write(Data([1, 2, 3]), to: place)
    try SafeFile.write(Data([4]), to: place)
    XCTAssertEqual(try Data(contentsOf: place), Data([4]))
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path).count, 1)
  }

  #if os(Linux)
    /// A limit on the size of files stands in for a full disk: the write fails half-way too.
    func testAFullStorageLeavesWhatWasThere() throws {
      let place = folder.appendingPathComponent("capture.dng")
      try SafeFile.write(Data([7]), to: place)
      signal(SIGXFSZ, SIG_IGN)
      var before = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
      var small = rlimit(rlim_cur: 4096, rlim_max: before.rlim_max)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &small)
      let said = message { try SafeFile.write(Data(count: 3_000_000), to: place) }
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
      XCTAssertTrue(said.contains("capture.dng was not saved"), said)
      XCTAssertTrue(said.contains("3 MB are needed"), said)
      XCTAssertEqual(try Data(contentsOf: place), Data([7]))
      XCTAssertEqual(
        try FileManager.default.contentsOfDirectory(atPath: folder.path), ["capture.dng"])
    }
  #endif

  func testAMissingFolderIsAMessage() {
    let place = folder.appendingPathComponent("nowhere/capture.dng")
    XCTAssertTrue(message { try SafeFile.write(Data([1]), to: place) }.contains("was not saved"))
  }
}

final class DNGTests: XCTestCase {
  func testAFrameComesBack() throws {
    for cfa in BayerPattern.allCases {
      var frame = try testFrame(
        rows: 23, columns: 30, cfa: cfa, black: [64, 65, 66.25, 67], iso: 102_400)
      frame.noise = NoiseParameters(a: 0.00376, b: 5.67e-5)
      frame.make = "Maker"
      frame.model = "Model 1"
      frame.colorMatrix = [0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.097, 0.1581, 0.5]
      frame.asShotNeutral = [0.4651, 1, 0.5882]
      XCTAssertEqual(try DNGReader.decode(DNGWriter.encode(frame)), frame)
    }
  }

  /// The same bytes lie in the toolkit's tests, where LibRaw opens them.
  func testTheStoredFileIsWhatIsWritten() throws {
    let stored = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../tests/data/ios-demo.dng").standardizedFileURL
    let data = try DNGWriter.encode(try storedFrame())
    if ProcessInfo.processInfo.environment["FA_MOBILE_UPDATE"] == "1" {
      try SafeFile.write(data, to: stored)
    }
    XCTAssertEqual(try Data(contentsOf: stored), data)
  }

  func testSizesAndLevelsThatNoDNGHasAreMessages() throws {
    let small = try testFrame(rows: 20, columns: 30)
    XCTAssertTrue(message { _ = try DNGWriter.encode(small) }.contains("22 to 65535"))
    let odd = try testFrame(rows: 22, columns: 30, white: 1022.5)
    XCTAssertTrue(message { _ = try DNGWriter.encode(odd) }.contains("whole DN"))
  }

  func testEveryCutIsAMessage() throws {
    let data = try DNGWriter.encode(try storedFrame())
    for length in stride(from: 0, to: data.count, by: 7) {
      let said = message { _ = try DNGReader.decode(data.prefix(length)) }
      XCTAssertFalse(said.isEmpty, "\(length)")
    }
  }

  /// Whatever bytes are wrong: an error with a message or a frame, never a crash.
  func testDamagedBytesNeverCrash() throws {
    let data = try DNGWriter.encode(try storedFrame())
    let directory = 8 + 2 * 24 * 32
    var state: UInt64 = 1
    for _ in 0..<3000 {
      var damaged = data
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let place = directory + Int(state >> 33) % (data.count - directory)
        damaged[place] = UInt8(truncatingIfNeeded: state >> 20)
      }
      do { _ = try DNGReader.decode(damaged) } catch { XCTAssertTrue(error is DenoiseError) }
    }
  }

  func testWhatIsNoBayerDNGIsNamed() throws {
    let data = try DNGWriter.encode(try storedFrame())
    let cases: [(UInt16, [UInt8], String)] = [
      (Tag.compression, [7, 0], "compression 7"),
      (Tag.photometric, [0x4C, 0x88], "demosaiced"),
      (Tag.cfaPattern, [0, 1, 1, 1], "colour filter array 'RGGG'"),
      (Tag.cfaRepeatPatternDim, [6, 0, 6, 0], "X-Trans"),
      (Tag.imageLength, [1, 0, 0, 0], "2 x 2 to"),
      (Tag.imageLength, [0xFF, 0xFF, 0, 0], "cut off"),
      (Tag.bitsPerSample, [14, 0], "14 bits"),
    ]
    for (tag, value, expected) in cases {
      let said = message { _ = try DNGReader.decode(changing(tag, to: value, in: data)) }
      XCTAssertTrue(said.contains(expected), "\(tag): \(said)")
    }
    XCTAssertTrue(message { _ = try DNGReader.decode(Data("JPEG".utf8)) }.contains("no DNG"))
  }

  /// `Orientation` is not read, so its entry is made the tag in question.
  func testMaskedBordersAreCutOff() throws {
    let frame = try storedFrame()
    let data = try DNGWriter.encode(frame)
    // Four 16-bit numbers at the end of the file: top, left, bottom, right.
    var cut = renaming(Tag.orientation, to: Tag.activeArea, count: 4, offset: data.count, in: data)
    cut.append(contentsOf: [1, 0, 3, 0, 23, 0, 31, 0])
    let read = try DNGReader.decode(cut)
    XCTAssertEqual([read.mosaic.rows, read.mosaic.columns], [22, 28])
    XCTAssertEqual(read.mosaic[0, 0], frame.mosaic[1, 3])
    XCTAssertEqual(read.mosaic[21, 27], frame.mosaic[22, 30])

    var outside = cut
    outside.replaceSubrange(data.count + 4..<data.count + 5, with: [25])
    XCTAssertTrue(message { _ = try DNGReader.decode(outside) }.contains("ActiveArea"))
    // As doubles the same bytes are no whole numbers.
    let entry = entries(of: cut).first { cut.tag(at: $0) == Tag.activeArea }!
    outside[entry + 2] = 12
    outside.append(Data(count: 32))
    XCTAssertTrue(message { _ = try DNGReader.decode(outside) }.contains("ActiveArea"))
  }

  func testALinearizationTableIsRefused() throws {
    let data = try DNGWriter.encode(try storedFrame())
    let changed = renaming(
      Tag.orientation, to: Tag.linearizationTable, count: 4, offset: 8, in: data)
    XCTAssertTrue(message { _ = try DNGReader.decode(changed) }.contains("linearization table"))
  }

  private func renaming(
    _ tag: UInt16, to new: UInt16, count: UInt8, offset: Int, in data: Data
  ) -> Data {
    let place = (0..<4).map { UInt8(truncatingIfNeeded: offset >> (8 * $0)) }
    var changed = changing(tag, to: place, in: data)
    let entry = entries(of: data).first { data.tag(at: $0) == tag }!
    changed[entry] = UInt8(new & 255)
    changed[entry + 1] = UInt8(new >> 8)
    changed[entry + 4] = count
    return changed
  }

  private func storedFrame() throws -> RawFrame {
    var frame = try testFrame(rows: 24, columns: 32, cfa: .gbrg, iso: 1600)
    frame.make = "fa-mobile"
    frame.model = "test"
    frame.noise = NoiseParameters(a: 0.00376, b: 5.67e-5)
    frame.colorMatrix = [0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.097, 0.1581, 0.5181]
    frame.asShotNeutral = [0.4651, 1, 0.5882]
    return frame
  }

  private func changing(_ tag: UInt16, to value: [UInt8], in data: Data) -> Data {
    var changed = data
    for entry in entries(of: data) where data.tag(at: entry) == tag {
      changed.replaceSubrange(entry + 8..<entry + 8 + value.count, with: value)
    }
    return changed
  }

  /// Where the entries of the first directory lie.
  private func entries(of data: Data) -> [Int] {
    let first = Int(data[4]) | Int(data[5]) << 8 | Int(data[6]) << 16
    return (0..<Int(data.tag(at: first))).map { first + 2 + 12 * $0 }
  }
}

extension Data {
  fileprivate func tag(at place: Int) -> UInt16 {
    UInt16(self[place]) | UInt16(self[place + 1]) << 8
  }
}
