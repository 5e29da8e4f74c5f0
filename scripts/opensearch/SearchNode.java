import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * Runs one OpenSearch node whose home directory, with config/opensearch.yml in it, is the argument, until it is
 * told to stop. The distribution's own start class wants modules laid out as the distribution has them, which
 * Maven Central does not; the node itself is the same.
 */
final class SearchNode extends Node {
	private SearchNode(Environment env) {
		super(env, List.of(Netty4Plugin.class), true);
	}

	public static void main(String[] args) throws Exception {
		Settings home = Settings.builder().put("path.home", args[0]).build();
		SearchNode node = new SearchNode(InternalSettingsPreparer.prepareEnvironment(home, Map.of(), null, () -> "node"));
		CountDownLatch ended = new CountDownLatch(1);
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			try {
				node.close();
			} catch (Exception e) {
				e.printStackTrace();
			}
			ended.countDown();
		}));
		node.start();
		ended.await();
	}
}
