#if canImport(SwiftUI) && canImport(UIKit)
  import Foundation
  import RawDenoise
  import RawDenoiseEngines
  import SwiftUI
  import UIKit

  /// What the screens show. Work is done off the main thread, one run at a time.
  @MainActor
  final class AppModel: ObservableObject {
    @Published private(set) var bundles: [ModelBundle] = []
    @Published private(set) var chosen: ModelBundle?
    @Published private(set) var frame: RawFrame?
    @Published private(set) var result: Denoised?
    @Published private(set) var pictures: (noisy: UIImage, denoised: UIImage?)?
    /// 0 to 1 while a run is on, else nil.
    @Published private(set) var progress: Double?
    @Published private(set) var notes: [String] = []
    @Published var gainText = ""
    @Published var message: String?

    private let worker = Worker()
    private var stop: StopSwitch?
    private var warned: NSObjectProtocol?

    init() {
      warned = NotificationCenter.default.addObserver(
        forName: UIApplication.didReceiveMemoryWarningNotification, object: nil, queue: .main
      ) { [weak self] _ in
        MainActor.assumeIsolated { self?.stop?.stop(.memory) }
      }
    }

    var hasMessage: Bool {
      get { message != nil }
      set { if !newValue { message = nil } }
    }

    var isBusy: Bool { progress != nil }

    func openBundles() async {
      guard bundles.isEmpty else { return }
      let (found, problems) = await worker.bundles()
      bundles = found
      chosen = found.first
      if let problem = problems.first {
        message = problem
      } else if found.isEmpty {
        message =
          "the app holds no bundle: put one that 'fa-mobile export' wrote into App/Resources/bundles "
          + "and build again"
      }
    }

    func choose(_ name: String) {
      chosen = bundles.first { $0.manifest.name == name }
    }

    /// A frame from the camera or a file; it replaces the one before with its result.
    func show(_ new: RawFrame) {
      frame = new
      result = nil
      notes = []
      if let sensor = chosen?.manifest.sensor {
        notes = [GainAdvice.foreignSensor(new, profile: sensor)].compactMap { $0 }
        gainText = (try? new.gain(for: sensor)).map { String($0) } ?? ""
      }
      Task { pictures = (await worker.picture(of: new, brightnessOf: new), nil) }
    }

    func open(_ file: URL) {
      Task {
        do { show(try await worker.read(file)) } catch { report(error) }
      }
    }

    func denoise() {
      guard let frame, let bundle = chosen else { return }
      let gain = Float(gainText.trimmingCharacters(in: .whitespaces))
      if !gainText.isEmpty, gain == nil {
        message = "gain '\(gainText)' was given; allowed are numbers above 0, 1 being the base gain"
        return
      }
      run { [worker] stop, progress in
        let made = try await worker.denoise(frame, bundle, gain: gain, stop, progress)
        let noisy = await worker.picture(of: frame, brightnessOf: frame)
        let clean = await worker.picture(of: made.frame, brightnessOf: frame)
        return { model in
          model.result = made
          model.pictures = (noisy, clean)
          let warning = made.gain.flatMap { gain in
            GainAdvice.warning(for: gain, profile: bundle.manifest.sensor)
          }
          model.notes += [warning].compactMap { $0 }
        }
      }
    }

    func selfTest(_ done: @escaping @MainActor (SelfTestReport) -> Void) {
      guard let bundle = chosen else { return }
      run { [worker] stop, progress in
        let report = try await worker.selfTest(bundle, stop, progress)
        return { _ in done(report) }
      }
    }

    func benchmark(_ settings: BenchmarkSettings, _ done: @escaping @MainActor (URL) -> Void) {
      guard let bundle = chosen else { return }
      let before = PhoneFacts.state()
      run { [worker] stop, progress in
        let (entry, runtime) = try await worker.benchmark(bundle, settings, stop, progress)
        return { model in
          let device = PhoneFacts.device(from: before, to: PhoneFacts.state(), runtime: runtime)
          let report = BenchmarkReport(device: device, settings: settings, entries: [entry])
          do { done(try Exports.write(report, of: bundle)) } catch { model.report(error) }
        }
      }
    }

    func cancel() { stop?.stop(.user) }

    /// In the background an app may neither use the GPU nor count on time: the run is stopped.
    func sceneChanged(isActive: Bool) {
      if !isActive { stop?.stop(.background) }
    }

    func report(_ error: any Error) {
      switch error {
      case let stopped as Stopped:
        if stopped.reason != .user { message = stopped.reason.rawValue }
      case let known as DenoiseError: message = known.message
      default: message = "\(error.localizedDescription); run the self-test"
      }
    }

    private typealias Finish = @MainActor (AppModel) -> Void

    private func run(
      _ work: @escaping @Sendable (StopSwitch, @escaping @Sendable (Double) -> Void) async throws
        -> Finish
    ) {
      guard !isBusy else { return }
      let stop = StopSwitch()
      self.stop = stop
      progress = 0
      // A long run must not be ended by the screen going dark, which is the background too.
      UIApplication.shared.isIdleTimerDisabled = true
      Task {
        do {
          let finish = try await work(stop) { share in
            Task { @MainActor [weak self] in
              if self?.progress != nil { self?.progress = share }
            }
          }
          finish(self)
        } catch {
          report(error)
        }
        progress = nil
        self.stop = nil
        UIApplication.shared.isIdleTimerDisabled = false
      }
    }
  }
#endif
