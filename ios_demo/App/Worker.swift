#if canImport(UIKit)
  import Foundation
  import RawDenoise
  import RawDenoiseEngines
  import UIKit

  /// Everything that takes time. An actor: engines are not made for two threads.
  actor Worker {
    private var engine: (bundle: String, engine: any Engine)?
    private var used: Set<String> = []
    private let cache = FileManager.default
      .urls(for: .cachesDirectory, in: .userDomainMask)[0]
      .appendingPathComponent("models", isDirectory: true)

    /// The bundles in the app, and what is wrong with those that are not shown.
    func bundles() -> ([ModelBundle], [String]) {
      let place = Bundle.main.resourceURL?.appendingPathComponent("bundles", isDirectory: true)
      let folders =
        place.flatMap {
          try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
        } ?? []
      var (found, problems): ([ModelBundle], [String]) = ([], [])
      for folder in folders.sorted(by: { $0.path < $1.path }) where folder.hasDirectoryPath {
        do { found.append(try ModelBundle(at: folder)) } catch { problems.append("\(error)") }
      }
      return (found, problems)
    }

    func read(_ file: URL) throws -> RawFrame {
      // Files that the user picked lie outside the app's own folder.
      let isScoped = file.startAccessingSecurityScopedResource()
      defer { if isScoped { file.stopAccessingSecurityScopedResource() } }
      guard let data = try? Data(contentsOf: file, options: .mappedIfSafe) else {
        throw DenoiseError("\(file.lastPathComponent) cannot be read; choose it again")
      }
      return try DNGReader.decode(data)
    }

    func denoise(
      _ frame: RawFrame, _ bundle: ModelBundle, gain: Float?, _ stop: StopSwitch,
      _ progress: @Sendable (Double) -> Void
    ) async throws -> Denoised {
      let denoiser = FrameDenoiser(manifest: bundle.manifest, engine: try await load(bundle))
      return try DenoiseJob(denoiser: denoiser).run(frame, gain: gain, stop: stop) { done, all in
        progress(Double(done) / Double(all))
      }
    }

    func selfTest(
      _ bundle: ModelBundle, _ stop: StopSwitch, _ progress: @Sendable (Double) -> Void
    ) async throws -> SelfTestReport {
      try SelfTest(bundle: bundle, engine: try await load(bundle)).run(
        progress: { progress(Double($0) / Double($1)) }, checkCancelled: stop.check)
    }

    /// One call of the bundle's tile.
    func benchmark(
      _ bundle: ModelBundle, _ settings: BenchmarkSettings, _ stop: StopSwitch,
      _ progress: @Sendable (Double) -> Void
    ) async throws -> (entry: BenchmarkEntry, runtime: (name: String, version: String)) {
      engine = nil
      let isFirstUse = !used.contains(bundle.manifest.name)
      used.insert(bundle.manifest.name)
      let clock = ContinuousClock()
      let start = clock.now
      let engine = try await EngineLoader.load(bundle, cache: cache)
      let load = (clock.now - start) / .milliseconds(1)
      let entry = try Benchmark(bundle: bundle, settings: settings).run(
        engine, rows: bundle.manifest.tile[0], columns: bundle.manifest.tile[1],
        load: isFirstUse ? load : nil, stop: stop, progress: progress)
      return (entry, engine.runtime)
    }

    func picture(of frame: RawFrame, brightnessOf other: RawFrame) -> UIImage {
      let preview = PreviewRenderer(of: frame, brightness: PreviewRenderer.brightness(for: other))
      return PictureImage.make(preview.render(frame))
    }

    private func load(_ bundle: ModelBundle) async throws -> any Engine {
      if let engine, engine.bundle == bundle.manifest.name { return engine.engine }
      engine = nil  // first, so that two models are never in memory
      used.insert(bundle.manifest.name)
      let loaded = try await EngineLoader.load(bundle, cache: cache)
      engine = (bundle.manifest.name, loaded)
      return loaded
    }
  }
#endif
