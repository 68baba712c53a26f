#if canImport(SwiftUI) && canImport(UIKit)
  import RawDenoise
  import SwiftUI

  /// Replays the golden table and the golden vectors of the chosen bundle on this phone.
  struct SelfTestView: View {
    @ObservedObject var model: AppModel
    @State private var report: SelfTestReport?

    var body: some View {
      VStack {
        BundlePicker(model: model)
        if let progress = model.progress {
          ProgressView(value: progress)
          Button("Cancel") { model.cancel() }
        } else {
          Button("Run") {
            report = nil
            model.selfTest { report = $0 }
          }
        }
        if let report { outcome(report) }
        Spacer()
      }
      .padding()
    }

    private func outcome(_ report: SelfTestReport) -> some View {
      List {
        Text("\(report.bundle): \(report.passed ? "passed" : "failed")").font(.headline)
        Text("\(report.tableRows) rows of the golden table, \(report.vectors.count) vectors")
        ForEach(report.problems, id: \.self) { problem in Text(problem) }
        ForEach(report.vectors, id: \.name) { vector in
          Text(
            "\(vector.name): network \(vector.member), off by \(vector.maxAbsDN) DN, "
              + "\(vector.noiseRatio) of the noise"
          )
          .font(.footnote)
        }
      }
    }
  }
#endif
