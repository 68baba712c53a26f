#if canImport(SwiftUI)
  import SwiftUI

  @main
  struct RawDenoiseApp: App {
    @StateObject private var model = AppModel()
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
      WindowGroup {
        TabView {
          DenoiseView(model: model).tabItem { Label("Denoise", systemImage: "camera") }
          SelfTestView(model: model).tabItem { Label("Self-test", systemImage: "checkmark.seal") }
          BenchmarkView(model: model).tabItem { Label("Benchmark", systemImage: "stopwatch") }
        }
        .alert("Raw Denoise", isPresented: $model.hasMessage) {
          Button("OK") {}
        } message: {
          Text(model.message ?? "")
        }
        .task { await model.openBundles() }
        .onChange(of: phase) { _, now in model.sceneChanged(isActive: now != .background) }
      }
    }
  }
#endif
