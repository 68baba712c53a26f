#if canImport(SwiftUI) && canImport(UIKit)
  import Foundation
  import RawDenoise
  import SwiftUI

  /// Times one call of the chosen bundle; the JSON is what `fa-mobile` reads.
  struct BenchmarkView: View {
    @ObservedObject var model: AppModel
    @State private var file: URL?

    var body: some View {
      VStack {
        BundlePicker(model: model)
        if let progress = model.progress {
          ProgressView(value: progress)
          Button("Cancel") { model.cancel() }
        } else {
          Button("15 rounds after warm-up") { run(BenchmarkSettings(kind: .burst, warmup: 3)) }
          Button("Sustained for 60 seconds") {
            run(BenchmarkSettings(kind: .sustained, warmup: 3, seconds: 60))
          }
        }
        if let file {
          Text("Written: \(file.lastPathComponent)")
          ShareLink(item: file)
        }
        Text("Unplug the phone, close other apps, let it cool; keep the app in front.")
          .font(.footnote)
        Spacer()
      }
      .padding()
    }

    private func run(_ settings: BenchmarkSettings) {
      file = nil
      model.benchmark(settings) { file = $0 }
    }
  }
#endif
