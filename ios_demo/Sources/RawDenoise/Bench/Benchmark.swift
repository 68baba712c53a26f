/// Times a bundle: first call, warm-up, rounds.
public struct Benchmark {
  public let bundle: ModelBundle
  public let settings: BenchmarkSettings
  private let milliseconds: () -> Double

  /// - Parameter milliseconds: a clock that never goes back; the tests give one of their own.
  public init(
    bundle: ModelBundle, settings: BenchmarkSettings, milliseconds: (() -> Double)? = nil
  ) {
    self.bundle = bundle
    self.settings = settings
    let clock = ContinuousClock()
    let origin = clock.now
    self.milliseconds = milliseconds ?? { (clock.now - origin) / .milliseconds(1) }
  }

  /// - Parameters:
  ///   - engine: loaded anew for this run.
  ///   - load: milliseconds that loading it took, where nothing of the bundle was in this process
  ///     before; else nil.
  ///   - progress: called with the share that is done, 0 to 1.
  /// - Throws: `Stopped`, `DenoiseError`, or what the engine throws; then there is no entry.
  public func run(
    _ engine: any Engine, rows: Int, columns: Int, load: Double?, stop: StopSwitch,
    progress: (Double) -> Void
  ) throws -> BenchmarkEntry {
    let frame = try syntheticFrame(rows: rows, columns: columns)
    let denoiser = FrameDenoiser(manifest: bundle.manifest, engine: engine)
    var tiles = 0
    func call() throws {
      _ = try denoiser.denoise(
        frame, gain: settings.gain, progress: { tiles = max($0, $1) }, checkCancelled: stop.check)
    }
    let origin = milliseconds()
    try call()
    let first = milliseconds() - origin
    for _ in 0..<settings.warmup { try call() }
    let (samples, started) = try rounds(call, progress)
    let timing = BenchmarkEntry.Timing(
      samples, started: started, megapixels: frame.megapixels)
    return try BenchmarkEntry(
      bundle: bundle, rows: rows, columns: columns, tiles: tiles, timing: timing,
      start: load.map { BenchmarkEntry.Start(load: $0, first: first) })
  }

  private func rounds(_ call: () throws -> Void, _ progress: (Double) -> Void) throws
    -> (samples: [Double], started: [Double])
  {
    var (samples, started): ([Double], [Double]) = ([], [])
    let origin = milliseconds()
    while true {
      let before = milliseconds()
      let seconds = (before - origin) / 1000
      let share =
        settings.kind == .burst
        ? Double(samples.count) / Double(settings.rounds) : seconds / settings.seconds
      progress(min(share, 1))
      if share >= 1, !samples.isEmpty { return (samples, started) }
      started.append(seconds)
      try call()
      // A clock's step may be longer than a tiny call; the report allows no 0.
      samples.append(max(milliseconds() - before, 1e-6))
    }
  }

  /// Samples that use the whole range: the time hardly depends on them.
  private func syntheticFrame(rows: Int, columns: Int) throws -> RawFrame {
    let sensor = bundle.manifest.sensor
    let range = UInt64(sensor.whiteLevel) + 1
    var state: UInt64 = 1
    let samples = (0..<max(rows, 0) * max(columns, 0)).map { _ -> UInt16 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt16((state >> 33) % range)
    }
    return try RawFrame(
      mosaic: Mosaic(rows: rows, columns: columns, samples: samples), cfa: .rggb,
      blackLevel: sensor.blackLevel, whiteLevel: sensor.whiteLevel)
  }
}
